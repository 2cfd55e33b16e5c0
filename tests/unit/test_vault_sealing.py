"""What is sealed can be read with its key, whole, or not at all."""

import base64
import os

import pytest

from whatsapp_etl.errors import GenerationDamagedError, VaultKeyError
from whatsapp_etl.session_key import parse_key
from whatsapp_etl.vault.sealing import CHUNK_BYTES, SealReader, SealWriter, VaultKey

KEY = VaultKey(bytes(range(32)))
HEADER = 21 + 8 + 32
SEALED_CHUNK = CHUNK_BYTES + 16


def sealed(plain, key=KEY, step=1000):
    taken = bytearray()
    writer = SealWriter(key, taken.extend)
    for start in range(0, len(plain), step):
        writer.write(plain[start : start + step])
    writer.close()
    return bytes(taken)


def opened(data, key=KEY, step=777):
    return SealReader(key, iter([data[start : start + step] for start in range(0, len(data), step)])).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_was_sealed_is_read_back_and_hidden(size):
    plain = os.urandom(size)

    data = sealed(plain)

    assert opened(data) == plain
    assert size < 16 or plain[:16] not in data
    assert sealed(plain) != data


def test_another_key_is_told_from_damage():
    with pytest.raises(VaultKeyError, match="another key"):
        opened(sealed(b"hello"), VaultKey(bytes(32)))


@pytest.mark.parametrize("length", [0, 5, HEADER - 1, HEADER, HEADER + 3, HEADER + SEALED_CHUNK, -1])
def test_a_stream_that_was_cut_off_is_damaged_wherever_it_was(length):
    data = sealed(os.urandom(2 * CHUNK_BYTES + 10))

    with pytest.raises(GenerationDamagedError):
        opened(data[:length])


def test_chunks_cannot_be_left_out_exchanged_or_added():
    data = sealed(os.urandom(3 * CHUNK_BYTES))
    header, first, rest = data[:HEADER], data[HEADER:][:SEALED_CHUNK], data[HEADER + SEALED_CHUNK :]
    second, third = rest[:SEALED_CHUNK], rest[SEALED_CHUNK:]

    for changed in (header + second + third, header + second + first + third, data + b"x", data + third):
        with pytest.raises(GenerationDamagedError):
            opened(changed)


@pytest.mark.parametrize("position", [0, 30, HEADER - 1, HEADER, HEADER + SEALED_CHUNK + 1, -1])
def test_a_single_bit_that_turned_is_noticed(position):
    data = bytearray(sealed(os.urandom(CHUNK_BYTES + 100)))
    data[position] ^= 1

    with pytest.raises(GenerationDamagedError):
        opened(bytes(data))


def test_no_byte_of_a_changed_chunk_is_handed_on():
    data = bytearray(sealed(bytes(2 * CHUNK_BYTES)))
    data[-1] ^= 1
    reader = SealReader(KEY, iter([bytes(data)]))

    assert reader.read(CHUNK_BYTES) == bytes(CHUNK_BYTES)
    with pytest.raises(GenerationDamagedError):
        reader.read(1)


@pytest.mark.parametrize("write", [bytes.hex, lambda key: base64.b64encode(key).decode()])
def test_a_key_is_read_as_it_is_usually_written(write):
    secret = os.urandom(32)

    assert parse_key(write(secret)) == secret
    assert parse_key(write(secret).rstrip("=") + "\n") == secret


@pytest.mark.parametrize(
    "text", ["short", "ü" * 44, "A" * 42, "A" * 45, "g" * 64, base64.b64encode(bytes(31)).decode()]
)
def test_a_key_of_another_length_is_refused_without_being_repeated(text):
    with pytest.raises(ValueError, match="is not 32 bytes") as told:
        parse_key(text)
    assert text not in str(told.value)


def test_what_is_derived_tells_nothing_of_the_key_and_differs_by_it():
    other = VaultKey(bytes(32))

    assert KEY.account_hash("15550001111@c.us") != other.account_hash("15550001111@c.us")
    assert KEY.id != other.id
    assert KEY.is_mac(KEY.mac(b"text"), b"text")
    assert not KEY.is_mac(other.mac(b"text"), b"text")
    assert bytes(range(32)).hex() not in KEY.id + KEY.mac(b"") + KEY.account_hash("")
