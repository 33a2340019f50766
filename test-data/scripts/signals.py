"""Small images, sounds and arrays by Pillow, SciPy and NumPy, with what they hold, read by
SignalFileTest. Usage: python signals.py ../signals"""

import json
import pathlib
import struct
import sys
import zlib

import numpy as np
import PIL
import scipy
from PIL import Image, ImageOps
from scipy.io import wavfile

out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(3)
expected = {}


def keep(name, values, white, channels):
    """Values as the file holds them, divided by the greatest, channels last."""
    values = np.asarray(values, dtype="f8")
    values = values if channels else values[..., None]
    expected[name] = {"sides": list(values.shape[:-1]), "channels": values.shape[-1],
                      "values": (values / white).astype("f4").ravel().tolist()}


def png16(name, array, colour_type):
    """Pillow writes no 16-bit colours, so the chunks are written here."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data
                                + struct.pack(">I", zlib.crc32(kind + data)))
    (out / name).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def drawn(*shape, most=255, dtype="u1"):
    return rng.integers(0, most, shape, dtype=dtype, endpoint=True)


for name, mode, bands in [("grey", "L", 0), ("grey-alpha", "LA", 2), ("rgb", "RGB", 3), ("rgba", "RGBA", 4)]:
    array = drawn(5, 7, *([bands] if bands else []))
    Image.fromarray(array, mode=mode).save(out / f"{name}.png")
    keep(f"{name}.png", array, 255, bands > 0)
for name, kind, bands in [("grey-16", 0, 0), ("grey-alpha-16", 4, 2), ("rgb-16", 2, 3), ("rgba-16", 6, 4)]:
    array = drawn(4, 6, *([bands] if bands else []), most=65535, dtype="u2")
    png16(f"{name}.png", array, kind)
    keep(f"{name}.png", array, 65535, bands > 0)
bits = Image.fromarray(drawn(6, 9, most=1) * 255).convert("1")
bits.save(out / "bits.png")
keep("bits.png", np.asarray(bits.convert("L")), 255, False)
palette = Image.fromarray(drawn(6, 5, 3)).quantize(11)
palette.save(out / "palette.png")
keep("palette.png", np.asarray(palette.convert("RGB")), 255, True)
palette.save(out / "palette-alpha.png", transparency=4)
keep("palette-alpha.png", np.asarray(Image.open(out / "palette-alpha.png").convert("RGBA")), 255, True)
palette.save(out / "palette.gif")
keep("palette.gif", np.asarray(Image.open(out / "palette.gif").convert("RGB")), 255, True)
array = drawn(3, 5, 3)
Image.fromarray(array).save(out / "rgb.bmp")
keep("rgb.bmp", array, 255, True)

y, x = np.mgrid[0:16, 0:24] / 16
smooth = np.stack([y, x / 1.5, 0.5 + 0 * x], -1)
photo = Image.fromarray((255 * smooth).astype("u1"))
photo.save(out / "rgb.jpg", quality=95, subsampling=0)
keep("rgb.jpg", np.asarray(Image.open(out / "rgb.jpg")), 255, True)
photo.convert("L").save(out / "grey.jpg", quality=95)
keep("grey.jpg", np.asarray(Image.open(out / "grey.jpg")), 255, False)
photo.convert("CMYK").save(out / "cmyk.jpg")
for orientation in range(2, 9):
    exif = Image.Exif()
    exif[0x112] = orientation
    name = f"turned-{orientation}.jpg"
    photo.convert("L").save(out / name, quality=95, exif=exif)
    keep(name, np.asarray(ImageOps.exif_transpose(Image.open(out / name))), 255, False)

codes = rng.integers(-2**31, 2**31, (9, 2), dtype="i8")
codes[0], codes[1] = -2**31, 2**31 - 1
for bits in (8, 16, 32):
    pcm = (codes >> 32 - bits) + (128 if bits == 8 else 0)
    wavfile.write(out / f"pcm-{bits}.wav", 8000, pcm.astype({8: "u1", 16: "i2", 32: "i4"}[bits]))
    keep(f"pcm-{bits}.wav", pcm - (0 if bits == 8 else -2**(bits - 1)), 2**bits - 1, True)
pcm = codes[:, 0] >> 8  # SciPy writes no 24 bits
data = b"".join(int(c).to_bytes(3, "little", signed=True) for c in pcm)
(out / "pcm-24.wav").write_bytes(
    b"RIFF" + struct.pack("<I", 36 + 4 + 10 + len(data) + 1) + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 44100, 3 * 44100, 3, 24)
    + b"note" + struct.pack("<I", 5) + b"hello\0" + b"data" + struct.pack("<I", len(data)) + data + b"\0")
keep("pcm-24.wav", pcm + 2**23, 2**24 - 1, False)
for type in ("f4", "f8"):
    wave = rng.uniform(-1, 1, 9).astype(type)
    wavfile.write(out / f"float-{type}.wav", 22050, wave)
    keep(f"float-{type}.wav", (wave.astype("f8") + 1) / 2, 1, False)

for type, white in [("u1", 255), ("u2", 65535)]:
    array = drawn(3, 4, 5, most=white, dtype=type)
    np.save(out / f"volume-{type}.npy", array)
    keep(f"volume-{type}.npy", array, white, False)
for type in ("i1", "i2", "i4", "i8", "u4", "f2", "f4", "f8"):
    array = (rng.uniform(0 if type == "u4" else -100, 100, (2, 3, 4, 3))).astype(type)
    np.save(out / f"video-{type}.npy", array)
    wide = array.astype("f8")
    keep(f"video-{type}.npy", wide - wide.min(), wide.max() - wide.min(), True)
array = rng.uniform(0, 1, (5, 6)).astype("f4")
np.save(out / "unit.npy", array)
keep("unit.npy", array, 1, False)
truth = array > 0.5
np.save(out / "truth.npy", truth)
keep("truth.npy", truth, 1, False)

(out / "expected.json").write_text(json.dumps({
    "reference": f"Pillow {PIL.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}; "
                 "test-data/scripts/signals.py",
    "files": expected}))
