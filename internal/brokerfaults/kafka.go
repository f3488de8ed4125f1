//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/kafka"
	"github.com/concordat-dev/concordat/runtime/broker/kafka/kafkaembed"
)

// kafkaPort and kafkaDir are set for this program when it is to be the imitation of Kafka, a
// process that can be killed.
const kafkaPort, kafkaDir = "CONCORDAT_FAULTS_KAFKA_PORT", "CONCORDAT_FAULTS_KAFKA_DIR"

// serveKafka is that process; it returns at once where this is another.
func serveKafka() {
	port, err := strconv.Atoi(os.Getenv(kafkaPort))
	if err != nil {
		return
	}
	if _, err := kafkaembed.Start(kafkaembed.Options{Port: port, Dir: os.Getenv(kafkaDir), Partitions: 4}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func startKafka(dir string) (server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return launch(func(_, port string) *exec.Cmd {
		c := exec.Command(program)
		c.Env = append(os.Environ(), kafkaPort+"="+port, kafkaDir+"="+filepath.Join(dir, "kafka"))
		return c
	})
}

// openKafka dials the proxy wherever the server says that it is; one topic has all keys.
func openKafka(addr string) (broker.Broker, error) {
	return kafka.New("kafka://"+addr, kafka.WithLogger(quiet), kafka.WithTopic("{run}/{key}", "load"), kafka.WithOptions(kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	})))
}
