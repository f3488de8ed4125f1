"""The contract as protobuf has it in Python, from a serialised FileDescriptorSet."""

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "concordat.interop.v1."


def load(file):
    """Returns the messages by their short names."""
    pool = descriptor_pool.DescriptorPool()
    with open(file, "rb") as f:
        files = descriptor_pb2.FileDescriptorSet.FromString(f.read())
    for one in files.file:
        pool.Add(one)
    names = ["Phrase", "Number", "CountRequest", "Failure"]
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(PACKAGE + n)) for n in names}


def pack(message):
    """Packs a message into an Any by hand: pools differ."""
    return any_pb2.Any(type_url="type.googleapis.com/" + message.DESCRIPTOR.full_name, value=message.SerializeToString())


# method: request, reply, requests stream, replies stream
METHODS = {
    "Say": ("Phrase", "Phrase", False, False),
    "Fail": ("Failure", "Phrase", False, False),
    "Wait": ("Phrase", "Phrase", False, False),
    "Count": ("CountRequest", "Number", False, True),
    "Sum": ("Number", "Number", True, False),
    "Chat": ("Phrase", "Phrase", True, True),
}
KINDS = {(False, False): "unary_unary", (False, True): "unary_stream", (True, False): "stream_unary", (True, True): "stream_stream"}
