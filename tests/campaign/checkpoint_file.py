"""Checkpoints (docs/checkpoint.md): whether they are whole, and such that say something else, with right checksums."""
import ctypes
import ctypes.util
import struct

HEADER = 64


def xxh3(data):
    library = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
    library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library.XXH3_64bits(data, len(data))


def manifest_length(head):
    return struct.unpack_from("<Q", head, 16)[0]


def is_whole(head, manifest):
    """Both checksums are right."""
    checksum, = struct.unpack_from("<Q", head, 24)
    return len(manifest) == manifest_length(head) and xxh3(manifest) == checksum and \
        xxh3(head[:56]) == struct.unpack_from("<Q", head, 56)[0]


def aligned(bytes_):
    return (bytes_ + 63) // 64 * 64


def patched(checkpoint, extra):
    """The checkpoint with these Protobuf fields behind its manifest: what comes last counts."""
    length = manifest_length(checkpoint)
    manifest = checkpoint[HEADER:HEADER + length] + extra
    tensors = checkpoint[aligned(HEADER + length):]
    body = manifest.ljust(aligned(HEADER + len(manifest)) - HEADER, b"\0") + tensors
    header = bytearray(checkpoint[:HEADER])
    struct.pack_into("<QQQ", header, 16, len(manifest), xxh3(manifest), HEADER + len(body))
    struct.pack_into("<Q", header, 56, xxh3(bytes(header[:56])))
    return bytes(header) + body


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def field(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)
