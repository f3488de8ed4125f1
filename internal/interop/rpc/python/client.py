"""grpcio against a server of ours. Arguments: address, directory with certificates,
descriptor set."""

import queue
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import echo

address, folder, descriptors = sys.argv[1:4]
M = echo.load(descriptors)


def read(name):
    with open(f"{folder}/{name}", "rb") as f:
        return f.read()


mutual = grpc.ssl_channel_credentials(read("ca.crt"), read("peer.key"), read("peer.crt"))


def stub(channel, name):
    request, reply, up, down = echo.METHODS[name]
    make = getattr(channel, echo.KINDS[up, down])
    return make(f"/{echo.PACKAGE}Echo/{name}", request_serializer=M[request].SerializeToString, response_deserializer=M[reply].FromString)


def failure(call):
    try:
        call()
    except grpc.RpcError as e:
        return e
    raise AssertionError("no error")


with grpc.secure_channel(address, mutual) as channel:
    say = stub(channel, "Say")
    reply, call = say.with_call(M["Phrase"](text="grüße"), metadata=[("x-interop", "hello"), ("x-interop-bin", b"\x00\x01\xfe\xff")])
    assert reply.text == "grüße"
    assert ("x-reply", "hello") in call.initial_metadata()
    assert ("x-trailer", "hello") in call.trailing_metadata()
    assert ("x-trailer-bin", b"\x00\x01\xfe\xff") in call.trailing_metadata(), call.trailing_metadata()
    long = "x" * 100_000
    assert say(M["Phrase"](text=long), compression=grpc.Compression.Gzip).text == long

    assert [n.value for n in stub(channel, "Count")(M["CountRequest"](last=1000))] == list(range(1, 1001))
    assert stub(channel, "Sum")(M["Number"](value=i) for i in range(1, 101)).value == 5050
    turns = queue.Queue()
    chat = stub(channel, "Chat")(iter(turns.get, None))
    for text in ["one", "two", "three"]:
        turns.put(M["Phrase"](text=text))
        assert next(chat).text == text
    turns.put(None)
    assert list(chat) == []

    e = failure(lambda: stub(channel, "Fail")(M["Failure"](code=5, message="kein Käse", details=["a", "b"])))
    assert e.code() == grpc.StatusCode.NOT_FOUND and e.details() == "kein Käse"
    status = dict(e.trailing_metadata())["grpc-status-details-bin"]
    assert status.count(b"interop.v1.Phrase") == 2 and status.count(b"interop.v1.Number") == 1
    e = failure(lambda: stub(channel, "Wait")(M["Phrase"](), timeout=0.3))
    assert e.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    endless = stub(channel, "Count")(M["CountRequest"](last=0))
    next(endless)
    endless.cancel()
    assert failure(lambda: list(endless)).code() == grpc.StatusCode.CANCELLED

    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", "concordat.interop.v1.Echo"]:
        assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()

with grpc.secure_channel(address, grpc.ssl_channel_credentials(read("ca.crt"))) as stranger:
    assert failure(lambda: stub(stranger, "Say")(M["Phrase"](), timeout=3)).code() == grpc.StatusCode.UNAVAILABLE
print("ok")
