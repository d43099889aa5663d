"""Speech for tests: two people who say different things, as 8 kHz mono telephone sound."""

import math
import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE = 8000
# Of a full-scale square wave: about what a telephone handset gives.
LEVEL_DBFS = -22.0
TEXTS = {
    "caller": (
        "en-us+f3",
        "The printer on the second floor blinks three times, then stops. I have tried the cable, "
        "the paper and the power switch, and nothing helped at all.",
    ),
    "desk": (
        "en-gb+m3",
        "Good morning, this is the help desk. Please look at the small grey box below the window "
        "and read me the number that you can see on its side.",
    ),
}


def speech(folder: Path, who: str) -> Path:
    """A WAV file of `who` (a key of `TEXTS`) speaking for some seconds."""
    voice, text = TEXTS[who]
    raw, path = folder / f"{who}-raw.wav", folder / f"{who}.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "165", "-w", raw, text], check=True)
    with wave.open(str(raw), "rb") as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(float)
    write_wav(path, levelled(telephone_band(resampled(sound, rate))))
    return path


def synthetic_speech(seed: int, seconds: float = 6.0) -> Samples:
    """Something like speech without a speech program: syllables of voiced and hissing sounds."""
    source = np.random.default_rng(seed)
    syllables = [np.zeros(0)]
    while sum(len(syllable) for syllable in syllables) < seconds * RATE:
        count = int(source.uniform(0.08, 0.25) * RATE)
        time = np.arange(count) / RATE
        pitch = source.uniform(90, 240) * (1 + source.uniform(-0.2, 0.2) * time)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        strengths = source.uniform(0, 1, 12) / np.arange(1, 13)
        voiced = sum(
            strength * np.sin(number * phase + source.uniform(0, 6))
            for number, strength in enumerate(strengths, 1)
        )
        hiss = source.normal(0, source.uniform(0.02, 0.3), count)
        syllables.append((voiced + hiss) * np.hanning(count) * source.uniform(0.3, 1))
        if source.random() < 0.15:
            syllables.append(np.zeros(int(source.uniform(0.05, 0.3) * RATE)))
    return levelled(telephone_band(np.concatenate(syllables)))


def read_wav(path: Path) -> Samples:
    """The samples of a mono 16-bit file at 8 kHz; sizes in its header may be left open."""
    data = path.read_bytes()
    start = data.index(b"data") + 8
    return np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], np.int16).astype(float)


def write_wav(path: Path, sound: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.round(sound), -32768, 32767).astype(np.int16).tobytes())


def level_dbfs(sound: Samples) -> float:
    """Root mean square in dB of full scale; -120 for digital silence."""
    power = float(np.mean(sound**2)) if len(sound) else 0.0
    return 10 * math.log10(max(power / 32768**2, 1e-12))


def levelled(sound: Samples) -> Samples:
    """At `LEVEL_DBFS`, with peaks kept below full scale."""
    louder = sound * 10 ** ((LEVEL_DBFS - level_dbfs(sound)) / 20)
    limited: Samples = np.clip(louder, -30000, 30000)
    return limited


def resampled(sound: Samples, rate: int) -> Samples:
    """From `rate` to 8 kHz, exactly band-limited (by way of the spectrum)."""
    count = round(len(sound) * RATE / rate)
    spectrum = np.fft.rfft(sound)[: count // 2 + 1]
    result: Samples = np.fft.irfft(spectrum, count) * count / len(sound)
    return result


def telephone_band(sound: Samples) -> Samples:
    """Only 300 to 3400 Hz, as every telephone in the comparison passes unharmed."""
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    result: Samples = np.fft.irfft(spectrum, len(sound))
    return result
