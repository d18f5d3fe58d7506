"""A shard written with all of its files in memory: first every size and hash, then the tar."""

import hashlib
import io
import tarfile

from PIL import Image


def write_shard(path, records):
    """Write the tar of (record, bytes) pairs; return its manifest rows."""
    files = sorted(((dict(record), content) for record, content in records), key=lambda pair: pair[0]["id"])
    rows, offset = [], 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for record, content in files:
            member = tarfile.TarInfo(f"{record['id']}.{record.pop('extension', 'png')}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            if "width" not in record:
                record["width"], record["height"] = Image.open(io.BytesIO(content)).size
            about = {"sha256": hashlib.sha256(content).hexdigest(), "offset": offset + 512, "size": len(content)}
            rows.append(record | about)
            offset += 512 + -(-len(content) // 512) * 512
    return rows
