"""Writes Tests/ParquetTests/Golden: small Parquet files of every kind that is read or refused, as pyarrow makes them, and beside
each one that is read its texts, one JSON string or null a row.

Usage: parquet.py [DIRECTORY]. Needs pyarrow; a second.
"""

import base64
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = HERE.parent.parent / "Tests" / "ParquetTests" / "Golden"
ENCODINGS = {"plain": "PLAIN", "dictionary": None, "lengths": "DELTA_LENGTH_BYTE_ARRAY", "prefixes": "DELTA_BYTE_ARRAY"}
CODECS = ["none", "snappy", "gzip", "zstd"]


def texts(count, nulls=True):
    """Rows with repeats, common beginnings, empty texts, every length of UTF-8, and nulls in ones and in runs."""
    rows = []
    for row in range(count):
        if nulls and (row % 7 == 3 or 20 <= row < 33):
            rows.append(None)
        elif row % 11 == 5:
            rows.append("")
        elif row % 5 == 0:
            rows.append("the same text again")
        else:
            rows.append(f"row {row * 7919 % 1009}: größer, 東京, 😀\n" + "ab" * (row % 13))
    return rows


def write(folder, name, table, expected, **options):
    """One file, and its texts if it is to be read."""
    options = {"compression": "none", "use_dictionary": False, "store_schema": False} | options
    pq.write_table(table, folder / f"{name}.parquet", **options)
    if expected is not None:
        lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in expected)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def combinations(folder):
    """Every encoding in every codec in both versions of pages: the same rows, in three row groups of several pages each."""
    rows = texts(110)
    table = pa.table({"id": pa.array(range(len(rows))), "text": pa.array(rows)})
    lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    for version in ("1.0", "2.0"):
        for codec in CODECS:
            for name, encoding in ENCODINGS.items():
                how = {"use_dictionary": ["text"]} if encoding is None else {"column_encoding": {"text": encoding}}
                write(
                    folder, f"rows-{name}-{codec}-v{version[0]}", table, None, compression=codec, row_group_size=40,
                    data_page_version=version, data_page_size=300, write_batch_size=8, **how)


def shapes(folder):
    """What else a column can be."""
    rows, whole = texts(60), texts(60, nulls=False)
    required = pa.schema([pa.field("text", pa.string(), nullable=False)])
    write(folder, "required", pa.table({"text": whole}, required), whole)
    write(folder, "required-v2", pa.table({"text": whole}, required), whole, data_page_version="2.0",
          column_encoding={"text": "DELTA_BYTE_ARRAY"}, compression="zstd")
    write(folder, "large-string", pa.table({"text": pa.array(rows, pa.large_string())}), rows, use_dictionary=True)
    write(folder, "binary", pa.table({"text": pa.array([t and t.encode() for t in rows], pa.binary())}), rows)
    write(folder, "categorical", pa.table({"text": pa.array(rows).dictionary_encode()}), rows, use_dictionary=True)
    write(folder, "old-names", pa.table({"text": pa.array(rows)}), rows, use_dictionary=True, version="1.0")
    write(folder, "one-value", pa.table({"text": ["only"] * 1000}), ["only"] * 1000, use_dictionary=True)
    write(folder, "all-null", pa.table({"text": pa.array([None] * 50, pa.string())}), [None] * 50, compression="snappy")
    write(folder, "all-null-v2", pa.table({"text": pa.array([None] * 50, pa.string())}), [None] * 50,
          compression="snappy", data_page_version="2.0", use_dictionary=True)
    write(folder, "no-rows", pa.table({"text": pa.array([], pa.string())}), [])
    write(folder, "checked", pa.table({"text": rows}), rows, write_page_checksum=True, use_dictionary=True,
          compression="snappy")
    write(folder, "checked-v2", pa.table({"text": rows}), rows, write_page_checksum=True, data_page_version="2.0",
          compression="gzip")
    # Longer than the pieces in which documents are read; the tests make its text themselves.
    long = " ".join(str(number % 1000) for number in range(800_000))
    write(folder, "long", pa.table({"text": ["first", long, "", long + ".", "last"]}), None, compression="zstd")
    # The dictionary is full after some pages; the rest of the chunk is plain.
    distinct = [f"{row} " + "x" * 40 for row in range(60)]
    write(folder, "fallback", pa.table({"text": distinct}), distinct, use_dictionary=True, dictionary_pagesize_limit=400,
          data_page_size=200, write_batch_size=4)
    nested = [None if row % 9 == 4 else {"n": row, "b": text, "l": [text or "", "x"]} for row, text in enumerate(rows)]
    kind = pa.struct([("n", pa.int64()), ("b", pa.string()), ("l", pa.list_(pa.string()))])
    lists = pa.array([[text, "y"] if row % 3 else None for row, text in enumerate(rows)], pa.list_(pa.string()))
    table = pa.table({"l": lists, "a": pa.array(nested, kind), "content": pa.array(rows), "n": pa.array(range(60))})
    inner = [value and value["b"] for value in nested]
    write(folder, "nested", table, inner, use_dictionary=True, compression="zstd")
    write(folder, "nested-v2", table, inner, data_page_version="2.0", compression="snappy")


def refused(folder):
    """What is refused by name."""
    rows = texts(20)
    for codec in ("lz4", "brotli"):
        write(folder, f"refused-{codec}", pa.table({"text": rows}), None, compression=codec)
    write(folder, "refused-list", pa.table({"text": pa.array([[text] for text in rows], pa.list_(pa.string()))}), None)
    write(folder, "refused-number", pa.table({"text": pa.array(range(20))}), None)
    write(folder, "refused-struct", pa.table({"text": [{"a": text} for text in rows]}), None)
    write(folder, "refused-column", pa.table({"story": rows, "id": pa.array(range(20))}), None)
    decimal = pa.array([None] * 20, pa.decimal128(30, 2))
    write(folder, "refused-decimal", pa.table({"text": decimal}), None)
    for name, plaintext_footer in (("encrypted", False), ("encrypted-column", True)):
        encrypted(folder / f"refused-{name}.parquet", pa.table({"text": rows}), plaintext_footer)


class OpenKeys(pe.KmsClient):
    """Keys that are no secret."""

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)


def encrypted(path, table, plaintext_footer):
    factory = pe.CryptoFactory(lambda configuration: OpenKeys())
    configuration = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"column": ["text"]}, plaintext_footer=plaintext_footer)
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), configuration)
    with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.parquet"), *folder.glob("*.jsonl")]:
        old.unlink()
    combinations(folder)
    shapes(folder)
    refused(folder)


main()
