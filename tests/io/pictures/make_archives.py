"""Archives as Python writes them: FOLDER/{pax,gnu,ustar}.tar and {deflated,stored,streamed,bomb}.zip."""

import io
import sys
import tarfile
import zipfile

folder = sys.argv[1]
names = ["a/1.jpg", "ä/日.jpg", 'line\nfeed,"q".jpg', "./dot.jpg", "d" * 60 + "/" + "f" * 96 + ".jpg"]


class Unseekable(io.RawIOBase):
    """So that zipfile writes sizes behind the members, as to a pipe."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def close(self):
        self.file.close()


for kind, code in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("ustar", tarfile.USTAR_FORMAT)):
    with tarfile.open(f"{folder}/{kind}.tar", "w", format=code) as archive:
        for i, name in enumerate(names):
            data = f"picture {i}".encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

for kind, method in (("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED)):
    with zipfile.ZipFile(f"{folder}/{kind}.zip", "w", method) as archive:
        for i, name in enumerate(names):
            archive.writestr(name, f"picture {i}")
with zipfile.ZipFile(Unseekable(f"{folder}/streamed.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    for i, name in enumerate(names):
        archive.writestr(name, f"picture {i}")
with zipfile.ZipFile(Unseekable(f"{folder}/bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("0.jpg", bytes(50_000_000))
    archive.writestr("1.jpg", "after")
