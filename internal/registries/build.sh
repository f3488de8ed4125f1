#!/usr/bin/env bash
# Builds the registries that tests run against, once, into the cache that tests look
# into: ${CONCORDAT_CACHE:-$HOME/.cache/concordat}/bin. Which ones: the arguments, or
# all of "consul etcd kubernetes eureka". What is there already is not built again.
set -euo pipefail
cd "$(dirname "$0")"
bin=${CONCORDAT_CACHE:-$HOME/.cache/concordat}/bin
mkdir -p "$bin"

# tool MODULE PACKAGE NAME [FLAGS...] builds a command of a nested module.
tool() {
	local dir=$1 pkg=$2 name=$3
	shift 3
	[ -x "$bin/$name" ] && { echo "$name is there"; return; }
	echo "building $name (minutes)"
	(cd "$dir" && GOWORK=off GOFLAGS="-mod=readonly -buildvcs=false" CGO_ENABLED=0 nice -n 19 go build -trimpath -o "$bin/$name.new" "$@" "$pkg")
	mv "$bin/$name.new" "$bin/$name"
}

consul() { tool consul github.com/hashicorp/consul consul-1.21.0 -ldflags=-s; }
etcd() { tool etcd go.etcd.io/etcd/server/v3 etcd-3.6.4 -ldflags=-s; }
kubernetes() {
	local v=k8s.io/component-base/version
	tool kubernetes k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver-1.34.1 \
		-ldflags="-s -X $v.gitVersion=v1.34.1 -X $v.gitMajor=1 -X $v.gitMinor=34"
}
eureka() {
	[ -f "$bin/eureka-2025.0.0.jar" ] && { echo "eureka is there"; return; }
	local work
	work=$(mktemp -d)
	cp -r eureka/pom.xml eureka/src "$work"
	(cd "$work" && nice -n 19 mvn -q -B -DskipTests package)
	mv "$work/target/eureka.jar" "$bin/eureka-2025.0.0.jar"
	rm -rf "$work"
}

for server in "${@:-consul etcd kubernetes eureka}"; do
	for s in $server; do
		case $s in
		consul | etcd | kubernetes | eureka) "$s" ;;
		*) echo "unknown registry $s" >&2; exit 2 ;;
		esac
	done
done
