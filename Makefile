# What CI does is in .ci/run; what is here takes minutes and is run by hand.

.PHONY: bench-openapi
bench-openapi: ## Concordat beside ogen and oapi-codegen; ARGS='-rounds 1 -builds 1' for a quick look
	cd bench/openapi && go run . -o RESULTS.md $(ARGS)

.PHONY: bench-rpc
bench-rpc: ## gRPC beside grpc-go and connect-go; ARGS='-rounds 1' for a quick look
	cd bench/rpc && go build -o ../../bin/bench-rpc . && ../../bin/bench-rpc -o RESULTS.md $(ARGS)

.PHONY: sim
sim: ## simulate slow, failing, hung and overloaded backends with the runtime's policies; ARGS='-o docs/sim' draws
	go run ./internal/sim/simulate $(ARGS)

.PHONY: bench-callpath
bench-callpath: ## what a call costs before it reaches a wire, beside gobreaker, failsafe-go and Kratos; ROUNDS=3 for a quick look
	bench/callpath/callpath.sh

.PHONY: faults-call
faults-call: ## stop, kill, cut off and overload real processes: nothing may be lost, or no more than must; ARGS='-quick -only hole'
	go run ./internal/callfaults $(ARGS)

.PHONY: conformance
conformance: ## the Connect project's conformance runner against our client and server; ARGS='--conf wide.yaml' for more
	internal/conformance/run.sh $(ARGS)

.PHONY: interop-rpc
interop-rpc: ## gRPC, gRPC-Web and Connect with Node, Python, grpc-go, buf, grpcurl and grpc-health-probe, which it installs
	internal/interop/rpc/run.sh $(ARGS)

.PHONY: interop-openapi
interop-openapi: ## curl and schemathesis (from PyPI, into a folder of its own) judge our server; ogen's and oapi-codegen's clients and servers talk to ours
	[ -x $(VENV)/bin/schemathesis ] || { python3 -m venv $(VENV) && $(VENV)/bin/pip install -q schemathesis; }
	CONCORDAT_SCHEMATHESIS=$(VENV)/bin/schemathesis go test -count=1 -v -run 'Curl|Schemathesis' ./examples/retail/internal/userservice
	cd bench/openapi && go run . -runtime -rounds 1 -benchtime 1x && go test -count=1 -v -run 'Interop|AnswerAlike' ./run

VENV ?= $(HOME)/.cache/concordat/schemathesis

FUZZTIME ?= 10m
.PHONY: fuzz
fuzz: ## fuzz the decoder, parameters and the router, one after the other; FUZZTIME=1m for a quick look
	go test ./runtime/codec -run '^$$' -fuzz '^FuzzKinds$$' -fuzztime $(FUZZTIME) -parallel 1
	go test ./runtime/codec -run '^$$' -fuzz '^FuzzPositions$$' -fuzztime $(FUZZTIME) -parallel 1
	go test ./runtime/codec/param -run '^$$' -fuzz '^FuzzParams$$' -fuzztime $(FUZZTIME) -parallel 1
	go test ./runtime/internal/route -run '^$$' -fuzz '^FuzzRoutes$$' -fuzztime $(FUZZTIME) -parallel 1

.PHONY: faults-messaging
faults-messaging: ## kill, cut off and overload real brokers under load: no confirmed message may be lost; ARGS='-n 10000' for a quick look
	go run ./internal/brokerfaults $(ARGS)
