"""Fuzzing of loaders: real files damaged in thousands of ways, and no error but ValueError.

    python -m experiments.fuzz_loaders --cases 10000

A worker process writes a valid dataset of one of `KINDS`, damages it, loads it and reports what
happened and how much memory it took at most. The parent starts the worker anew where it dies. The
exit status is 1 if anything but a ValueError came out, if a case took longer than `--seconds`, or
if memory went above the bound: a fixed 64 MiB plus four times what the bytes on disk can expand to
(deflate: 1,032 times; pictures: the limit of pixels, which the file has to state).
"""

import argparse
import collections
import faulthandler
import gzip
import io
import json
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
import zlib
from pathlib import Path

import numpy as np

KINDS = (
    *("npz", "npz header", "idx", "pictures"),
    *("array", "delimited", "parquet", "hdf5", "zip", "hugging face"),
)
LABELS = "labels.npy"
FIXED = 64 * 2**20
EXPANSION = 4 * 1032
PILLOW_BYTES = 4 * 3 * 2**28
INTERESTING = (0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40)
DTYPES = (
    *("|u1", "|i1", "|b1", "<u2", ">i4", "<i8", "<u8", "<f2", "<f4", ">f8", "<f16", "<c8", "<U3"),
    *("|S2", "|O", "|V4", "<M8[s]", "|V1000000000", "(3,)<f4", "|S0", "<U0"),
)


class Hang(BaseException):
    """A case ran past its time; not an Exception, so that no loader can swallow it."""


def arrays(rng, colour=True):
    n, shape = int(rng.integers(6, 20)), tuple(rng.integers(2, 9, 2))
    shape += (3,) * int(rng.integers(0, 1 + colour))
    images = rng.integers(0, 256, (2 * n, *shape), dtype=np.uint8)
    if rng.random() < 0.3:
        images = (images / 255).astype(rng.choice(["f4", "f8", "f2"]))
    labels = np.arange(2 * n).astype(
        rng.choice(["u1", "i8", "i4", "f4", "U2"], p=[0.4, 0.3, 0.1, 0.1, 0.1])
    )
    if labels.dtype.kind in "ui":
        labels = labels % 3
    held = [images[:n], labels[:n], images[n:], labels[n:]]
    if rng.random() < 0.2:
        which = rng.integers(0, 4)
        held[which] = held[which].ravel()[: rng.integers(0, 5)]
    if held[0].dtype.kind == "f" and held[0].size and rng.random() < 0.3:
        held[0].flat[rng.integers(held[0].size)] = rng.choice([np.nan, np.inf, -1, 2])
    return held


def damage(rng, content):
    """Return bytes with a few random changes, possibly none."""
    content = bytearray(content)
    for _ in range(rng.integers(0, 4)):
        if not content:
            break
        at, how = int(rng.integers(len(content))), rng.integers(0, 6)
        if how == 0:
            content[at] ^= 1 << int(rng.integers(8))
        elif how == 1:
            del content[at:]
        elif how == 2:
            content[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif how == 3:
            end = at + int(rng.integers(1, 60))
            content[at:at] = content[at:end]
        elif how == 4:
            del content[at : at + int(rng.integers(1, 60))]
        else:
            layout = rng.choice(["<H", ">H", "<I", ">I", "<Q", ">Q"])
            value = int(rng.choice(INTERESTING)) % 2 ** (8 * struct.calcsize(layout))
            packed = struct.pack(layout, value)
            content[at : at + len(packed)] = packed
    return bytes(content)


def npz_bytes(rng, held):
    names = ("train_images", "train_labels", "test_images", "test_labels")
    if rng.random() < 0.3:
        names = ("images", "labels")
    stream = io.BytesIO()
    save = np.savez_compressed if rng.random() < 0.5 else np.savez
    save(stream, **dict(zip(names, held, strict=False)))
    return stream.getvalue()


def make_npz(rng, folder):
    path = folder / "set.npz"
    content = npz_bytes(rng, arrays(rng))
    if rng.random() < 0.5:
        return path, path.write_bytes(damage(rng, content))
    # Damage one field of the archive's directory.
    content = bytearray(content)
    entries = [m.start() for m in re.finditer(rb"PK\x01\x02", content)]
    at = int(rng.choice(entries)) + int(rng.choice([6, 8, 10, 16, 20, 24, 28, 30, 32, 42]))
    packed = struct.pack("<I", int(rng.choice(INTERESTING)) % 2**32)[: int(rng.choice([2, 4]))]
    content[at : at + len(packed)] = packed
    return path, path.write_bytes(content)


def make_header(rng, folder):
    """Give one array of a sound archive a header that a fuzzer made up."""
    path = folder / "set.npz"
    with zipfile.ZipFile(io.BytesIO(npz_bytes(rng, arrays(rng)))) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = str(rng.choice(list(members)))
    sound = np.load(io.BytesIO(members[name]))
    shape, descr, data = sound.shape, sound.dtype.str, sound.tobytes()
    if rng.random() < 0.5:
        sides = [*range(20), *INTERESTING, -1, 2**62]
        shape = tuple(int(rng.choice(sides)) for _ in range(rng.integers(0, 6)))
    if rng.random() < 0.5:
        descr = str(rng.choice(DTYPES))
        width = int(re.search(r"\d*$", descr.split("[")[0])[0] or 1)
        wanted = width * np.prod([float(n) for n in shape])
        data = rng.bytes(int(wanted)) if 0 <= wanted < 10_000 else data
    fortran = bool(rng.random() < 0.5)
    listed = list(shape) if rng.random() < 0.05 else shape
    text = repr({"descr": descr, "fortran_order": fortran, "shape": listed})
    header = damage(rng, text.encode()) if rng.random() < 0.4 else text.encode()
    version = int(rng.choice([1, 2, 3, 255], p=[0.7, 0.2, 0.05, 0.05]))
    length = struct.pack("<H" if version == 1 else "<I", len(header) + 1)
    if rng.random() < 0.1:
        length = struct.pack("<I", int(rng.choice(INTERESTING)) % 2**32)[: len(length)]
    members[name] = b"\x93NUMPY" + bytes((version, 0)) + length + header + b"\n" + data
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
    method = int(rng.choice(methods, p=[0.48, 0.48, 0.04]))
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path, None


def make_idx(rng, folder):
    train, train_labels, test, test_labels = arrays(rng, colour=False)
    for name, array in (
        ("train-images-idx3", train),
        ("train-labels-idx1", train_labels),
        ("t10k-images-idx3", test),
        ("t10k-labels-idx1", test_labels),
    ):
        whole = np.zeros(array.shape, np.uint8) if array.dtype.kind not in "ui" else array
        content = bytes((0, 0, 8, whole.ndim)) + struct.pack(f">{whole.ndim}I", *whole.shape)
        content += whole.astype(np.uint8).tobytes()
        target = rng.random() < 0.4
        if target and rng.random() < 0.5:
            content = damage(rng, content)
        if target and rng.random() < 0.2:
            content += bytes(int(rng.choice([1, 1000, 2**22])))
        zipped = rng.random() < 0.5
        if zipped:
            content = gzip.compress(content, 1)
            content = damage(rng, content) if target else content
        (folder / f"{name}-ubyte{'.gz' * zipped}").write_bytes(content)
    return folder, None


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def strange_png(rng):
    """Return a PNG of right checksums whose header says anything at all."""
    sides = [int(rng.choice([1, 4, 5, 100, 5000, 9000, 2**16, 2**31 - 1])) for _ in range(2)]
    bits, colour = int(rng.choice([1, 2, 4, 8, 16, 3])), int(rng.choice([0, 2, 3, 4, 6, 1]))
    head = struct.pack(">IIBBBBB", *sides, bits, colour, 0, 0, int(rng.choice([0, 1])))
    body = zlib.compress(bytes(int(rng.choice([0, 30, 3000, 10**6]))))
    chunks = [png_chunk(b"IHDR", head)]
    for kind in (b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"zTXt", b"IDAT", b"acTL", b"fcTL", b"fdAT"):
        if kind == b"IDAT" or rng.random() < 0.15:
            data = body if kind == b"IDAT" else rng.bytes(int(rng.integers(0, 60)))
            chunks.append(png_chunk(kind, damage(rng, data)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


#: Formats of pictures, and modes that Pillow saves in them.
FORMS = {
    "PNG": ("L", "RGB", "P", "RGBA", "LA", "1", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "TIFF": ("L", "RGB", "P", "RGBA", "LA", "1", "I;16", "CMYK"),
    "BMP": ("L", "RGB", "P", "RGBA", "1"),
    "GIF": ("L", "RGB", "P"),
    "WEBP": ("RGB", "RGBA"),
    "PPM": ("L", "RGB", "1"),
}


def make_pictures(rng, folder):
    from PIL import Image

    mode = str(
        rng.choice(["L", "RGB", "P", "RGBA", "LA", "1", "I;16", "CMYK"], p=[0.4, 0.3] + [0.05] * 6)
    )
    forms = [form for form, modes in FORMS.items() if mode in modes]
    form = str(rng.choice(forms))
    width, height = (int(n) for n in rng.integers(1, 40, 2))
    splits = ("train", "test") if rng.random() < 0.7 else ("",)
    for split in splits:
        for label in ("a", "b", "c")[: rng.integers(2 if split else 3, 4)]:
            (folder / split / label).mkdir(parents=True)
            for i in range(rng.integers(1, 4) if rng.random() < 0.9 else 0):
                stream = io.BytesIO()
                size = (width, height) if rng.random() < 0.98 else (height, width)
                image = Image.new(mode, size)
                options = {"progressive": bool(rng.random() < 0.3)} if form == "JPEG" else {}
                if form == "TIFF" and rng.random() < 0.5:
                    options["compression"] = "tiff_lzw"
                if form in ("GIF", "TIFF", "WEBP", "PNG") and rng.random() < 0.1:
                    options |= {"save_all": True, "append_images": [image]}
                image.save(stream, form, **options)
                content = stream.getvalue()
                if rng.random() < 0.15:
                    content = damage(rng, content) if rng.random() < 0.6 else strange_png(rng)
                path = folder / split / label / f"{i}.{rng.choice(['png', 'jpg', 'JPEG'])}"
                path.write_bytes(content)
                if rng.random() < 0.01:
                    (path.parent / f"link{i}.png").symlink_to(
                        str(rng.choice(["/etc/passwd", "..", "x"]))
                    )
    return folder, None


def words(rng, n):
    return [str(rng.choice(["a", "b", "c", "None", "x, y", "é"])) for _ in range(n)]


def columns(rng, n):
    """Columns of a table by name: elements of some kind, labels, perhaps more."""
    pixels = rng.integers(0, 256, (n, 4, 5), dtype=np.uint8)
    kind = rng.integers(0, 5)
    if kind == 0:
        made = {
            "image": [{"bytes": png_bytes(x), "path": f"{i}.png"} for i, x in enumerate(pixels)]
        }
    elif kind == 1:
        made = {"embedding": rng.random((n, int(rng.integers(1, 5)))).tolist()}
    elif kind == 2:
        made = {"text": words(rng, n)}
    else:
        made = {"a": rng.random(n).tolist(), "b": rng.integers(0, 9, n).tolist()}
        made |= {"c": words(rng, n)} if kind == 4 else {}
    made["label"] = words(rng, n) if rng.random() < 0.5 else rng.integers(0, 3, n).tolist()
    if rng.random() < 0.3:
        made["split"] = [str(rng.choice(["train", "train", "test", "val"])) for _ in range(n)]
    if rng.random() < 0.3:
        made["patient"] = rng.integers(0, 4, n).tolist()
    return made


def png_bytes(array):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def make_array(rng, folder):
    n = int(rng.integers(4, 20))
    elements = rng.random((n, 3)) if rng.random() < 0.6 else np.array(words(rng, n))
    labels = np.array(words(rng, n)) if rng.random() < 0.5 else np.arange(n) % 3
    for name, array in (("x.npy", elements), (LABELS, labels)):
        stream = io.BytesIO()
        np.save(stream, array)
        (folder / name).write_bytes(damage(rng, stream.getvalue()))
    return folder / "x.npy", None


def make_delimited(rng, folder):
    import pandas as pd

    frame = pd.DataFrame(columns(rng, int(rng.integers(4, 20))))
    if "image" in frame:
        for i, struct in enumerate(frame["image"]):
            (folder / f"{i}.png").write_bytes(struct["bytes"])
        frame["image"] = [struct["path"] for struct in frame["image"]]
    path = folder / str(rng.choice(["t.csv", "t.tsv"]))
    text = frame.to_csv(index=bool(rng.random() < 0.3), sep=str(rng.choice([",", ";", "\t"])))
    return path, path.write_bytes(damage(rng, text.encode()))


def make_parquet(rng, folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in ("t.parquet",) if rng.random() < 0.7 else ("train-0.parquet", "test-0.parquet"):
        stream = io.BytesIO()
        packing = str(rng.choice(["none", "snappy", "zstd", "gzip"]))
        pq.write_table(pa.table(columns(rng, 12)), stream, compression=packing)
        (folder / name).write_bytes(damage(rng, stream.getvalue()))
    return (folder / "t.parquet" if (folder / "t.parquet").exists() else folder), None


def make_hdf5(rng, folder):
    import h5py

    train, train_labels, test, test_labels = arrays(rng)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        packed = {"compression": "gzip"} if rng.random() < 0.5 and train.size else {}
        file.create_dataset("train/images", data=train, **packed)
        file["train/labels"] = [str(x) for x in train_labels.ravel()]
        file["test_x"] = test
        file["test_y"] = [str(x) for x in test_labels.ravel()]
        if rng.random() < 0.2:
            file["class_names"] = [b"a", b"b", b"c"]
    path = folder / "t.h5"
    return path, path.write_bytes(damage(rng, stream.getvalue()))


def make_zip(rng, folder):
    inner = folder / "inner"
    inner.mkdir()
    make_pictures(rng, inner)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", int(rng.choice([0, 8]))) as archive:
        for path in sorted(inner.rglob("*")):
            if path.is_file() and not path.is_symlink():
                archive.write(path, path.relative_to(inner))
    shutil.rmtree(inner)
    path = folder / "t.zip"
    content = stream.getvalue()
    return path, path.write_bytes(damage(rng, content) if rng.random() < 0.7 else content)


def make_hugging_face(rng, folder):
    import datasets

    datasets.disable_progress_bars()
    made = datasets.Dataset.from_dict(columns(rng, 12))
    if rng.random() < 0.4:
        made = datasets.DatasetDict(train=made, test=made.select(range(4)))
    made.save_to_disk(folder / "saved")
    for path in (folder / "saved").rglob("*"):
        if path.is_file() and rng.random() < 0.4:
            path.write_bytes(damage(rng, path.read_bytes()))
    return folder / "saved", None


MAKERS = (
    *(make_npz, make_header, make_idx, make_pictures),
    *(make_array, make_delimited, make_parquet, make_hdf5, make_zip, make_hugging_face),
)


def peak_kib(reset):
    """Return the process's peak resident memory in KiB since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def run_case(seed, seconds, scratch):
    from lcrjax.data import load

    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    folder = scratch / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source, _ = MAKERS[seed % len(KINDS)](rng, folder)
    stored = sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file())
    pictures = kind in KINDS[:4] or kind == "zip"
    resize = int(rng.integers(1, 20)) if pictures and rng.random() < 0.15 else None
    fraction = 0 if rng.random() < 0.5 else 0.25
    before, start = peak_kib(reset=True), time.perf_counter()
    result = {"seed": seed, "kind": kind, "text": ""}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        labels = source.with_name(LABELS) if kind == "array" else None
        load(source, resize=resize, labels=labels, test_fraction=fraction)
        result["outcome"] = "loaded"
    except ValueError as error:
        result |= {"outcome": "refused", "text": str(error).replace(str(folder), "…")}
        if "\n" in str(error) or not str(error):
            result |= {"outcome": "UNCLEAR"}
    except Hang:
        result["outcome"] = "HANG"
    except BaseException:
        result |= {"outcome": "ESCAPED", "text": traceback.format_exc()}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    result["seconds"] = time.perf_counter() - start
    result["bytes"] = 1024 * max(0, peak_kib(reset=False) - before)
    allowed = FIXED + EXPANSION * stored + (PILLOW_BYTES if kind in ("pictures", "zip") else 0)
    if result["bytes"] > allowed:
        result |= {"outcome": "MEMORY", "text": f"{result['bytes']:,} > {allowed:,}"}
    return result


def work(first, last, seconds, kind):
    def ring(*_):
        raise Hang

    signal.signal(signal.SIGALRM, ring)
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(len(KINDS)):  # imports, so that they count for nobody
            run_case(seed, 60, Path(scratch))
        for seed in range(first, last):
            if kind in (None, KINDS[seed % len(KINDS)]):
                print(json.dumps({"start": seed}), flush=True)
                # A loop in C hears no signal.
                faulthandler.dump_traceback_later(3 * seconds, exit=True)
                print(json.dumps(run_case(seed, seconds, Path(scratch))), flush=True)
                faulthandler.cancel_dump_traceback_later()


def results(first, last, seconds, kind):
    """Yield one result per case, starting the worker anew after a case that kills it."""
    while first < last:
        command = [
            sys.executable,
            "-m",
            "experiments.fuzz_loaders",
            "--work",
            str(first),
            str(last),
        ]
        command += ["--seconds", str(seconds), *(["--kind", kind] if kind else [])]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert worker.stdout
        current = None
        for line in worker.stdout:
            record = json.loads(line)
            current = record.get("start", current)
            if "outcome" in record:
                yield record
                first = record["seed"] + 1
        if worker.wait() and first < last:
            if current is None:
                raise SystemExit("the worker could not start")
            text = f"worker died with {worker.returncode}, or was ended as it heard no signal"
            yield {
                "seed": current,
                "kind": KINDS[current % len(KINDS)],
                "outcome": "CRASH",
                "text": text,
            }
            first = current + 1
        elif not worker.returncode:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--seconds", type=float, default=20.0, help="longest time of one case")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=KINDS, help="only those of the cases, a tenth, of a kind")
    options = parser.parse_args()
    if options.work:
        return work(*options.work, options.seconds, options.kind)
    start = time.perf_counter()
    counts, texts, worst = collections.Counter(), collections.Counter(), {}
    bad = []
    last = options.first + options.cases
    for result in results(options.first, last, options.seconds, options.kind):
        counts[result["kind"], result["outcome"]] += 1
        if result["outcome"] == "refused":
            text = re.sub(r"[-\d.,]*\d", "#", result["text"])
            texts[re.sub(r"…\S*|\(.*\)|'.*?'", "…", text)[:110]] += 1
        elif result["outcome"] != "loaded":
            bad.append(result)
        for measure in ("seconds", "bytes"):
            key = (result["kind"], measure)
            worst[key] = max(worst.get(key, (0, 0)), (result.get(measure, 0), result["seed"]))
    outcomes = ["loaded", "refused", "UNCLEAR", "ESCAPED", "HANG", "MEMORY", "CRASH"]
    print(f"{'':12}" + "".join(f"{name:>9}" for name in outcomes) + "  slowest s  most MiB")
    for kind in KINDS:
        row = "".join(f"{counts[kind, name]:9}" for name in outcomes)
        seconds, most = (worst.get((kind, m), (0, 0))[0] for m in ("seconds", "bytes"))
        print(f"{kind:12}{row}  {seconds:9.2f}  {most / 2**20:8.1f}")
    print(
        f"\n{sum(counts.values())} cases in {time.perf_counter() - start:.0f} s; "
        f"{len(texts)} texts, the commonest:"
    )
    for text, count in texts.most_common(40):
        print(f"{count:7}  {text}")
    for result in bad[:10]:
        print(f"\nseed {result['seed']} ({result['kind']}) {result['outcome']}: {result['text']}")
    raise SystemExit(bool(bad))


if __name__ == "__main__":
    main()
