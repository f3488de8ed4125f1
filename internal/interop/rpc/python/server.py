"""A server written with grpcio. Arguments: directory with certificates, descriptor set.
Prints its address, and ends when standard input does."""

import itertools
import sys
import threading
from concurrent import futures

import grpc

import echo

folder, descriptors = sys.argv[1:3]
M = echo.load(descriptors)


def read(name):
    with open(f"{folder}/{name}", "rb") as f:
        return f.read()


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n % 128 | 128]), n // 128
    return out + bytes([n])


def field(number, data):
    return varint(number * 8 + 2) + varint(len(data)) + data


def say(request, context):
    given = dict(context.invocation_metadata())
    if v := given.get("x-interop"):
        context.send_initial_metadata([("x-reply", v)])
        context.set_trailing_metadata([("x-trailer", v), ("x-trailer-bin", given.get("x-interop-bin", b""))])
    return request


def fail(request, context):
    details = [echo.pack(M["Phrase"](text=d)) for d in request.details] + [echo.pack(M["Number"](value=len(request.details)))]
    status = b"\x08" + varint(request.code) + field(2, request.message.encode())
    status += b"".join(field(3, d.SerializeToString()) for d in details)
    context.set_trailing_metadata([("grpc-status-details-bin", status)])
    context.abort(next(c for c in grpc.StatusCode if c.value[0] == request.code), request.message)


def wait(request, context):
    over = threading.Event()
    context.add_callback(over.set)
    over.wait()
    return request


def count(request, context):
    for n in itertools.count(1) if request.last == 0 else range(1, request.last + 1):
        if not context.is_active():
            return
        yield M["Number"](value=n)


HANDLERS = {
    "Say": say, "Fail": fail, "Wait": wait, "Count": count,
    "Sum": lambda requests, context: M["Number"](value=sum(n.value for n in requests)),
    "Chat": lambda requests, context: requests,
}


def handler(name):
    request, reply, up, down = echo.METHODS[name]
    make = getattr(grpc, echo.KINDS[up, down] + "_rpc_method_handler")
    return make(HANDLERS[name], request_deserializer=M[request].FromString, response_serializer=M[reply].SerializeToString)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), compression=grpc.Compression.Gzip)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(echo.PACKAGE + "Echo", {n: handler(n) for n in HANDLERS})])
credentials = grpc.ssl_server_credentials([(read("peer.key"), read("peer.crt"))], read("ca.crt"), require_client_auth=True)
port = server.add_secure_port("127.0.0.1:0", credentials)
server.start()
print(f"127.0.0.1:{port}", flush=True)
sys.stdin.read()
server.stop(0)
