"""G.711 and the codec seam."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.codec import CODEC_NAMES, AudioCodec, create


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def samples(data: bytes) -> list[int]:
    return list(array("h", data))


def test_known_codes_of_the_mu_law() -> None:
    codec = create("PCMU")
    assert codec.encode(pcm(0, 32767, -32768, 1000)) == bytes([0xFF, 0x80, 0x00, 0xCE])
    assert samples(codec.decode(bytes([0xFF, 0x80, 0x00, 0x7F]))) == [0, 32124, -32124, 0]


def test_known_codes_of_the_a_law() -> None:
    codec = create("PCMA")
    assert codec.encode(pcm(0, 32767, -32768)) == bytes([0xD5, 0xAA, 0x2A])
    assert samples(codec.decode(bytes([0xD5, 0x55, 0xAA, 0x2A]))) == [8, -8, 32256, -32256]


@pytest.mark.parametrize("name", CODEC_NAMES)
def test_a_codec_says_what_it_is(name: str) -> None:
    codec: AudioCodec = create(name.lower())
    assert codec.name == name
    assert (codec.sample_rate, codec.clock_rate, codec.frame_samples) == (8000, 8000, 160)
    assert len(codec.encode(bytes(320))) == 160


@pytest.mark.parametrize("name", CODEC_NAMES)
def test_half_a_sample_is_left_out(name: str) -> None:
    assert len(create(name).encode(bytes(321))) == 160


def test_an_unknown_codec_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        create("opus")


@given(st.binary(max_size=64), st.sampled_from(CODEC_NAMES))
def test_every_payload_decodes_and_a_code_means_itself(payload: bytes, name: str) -> None:
    codec = create(name)
    sound = codec.decode(payload)
    assert len(sound) == 2 * len(payload)
    assert codec.decode(codec.encode(sound)) == sound


@given(st.lists(st.integers(-32000, 32000), max_size=64), st.sampled_from(CODEC_NAMES))
def test_the_error_of_a_sample_is_small_against_it(wanted: list[int], name: str) -> None:
    codec = create(name)
    heard = samples(codec.decode(codec.encode(pcm(*wanted))))
    assert all(abs(a - b) <= max(16, abs(b) / 16) for a, b in zip(heard, wanted, strict=True))
