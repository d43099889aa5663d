"""What of Python and the libraries goes into the executable: all that is used, nothing else.

Every file less is one less to unpack at each start. Modules are left out by name, because some
library would import them if they were there; scripts of Tcl and Tk by folder.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path

# (name in the program, path on this machine, kind), as PyInstaller lists what it collects.
Entry = tuple[str, str, str]

_PICTURES_OUT = (
    *("Avif", "Blp", "BufrStub", "Cur", "Dcx", "Dds", "Eps", "Fits", "Fli", "Fpx", "Ftex", "Gbr"),
    *("Gif", "GribStub", "Hdf5Stub", "Icns", "Im", "Imt", "Iptc", "Jpeg", "Jpeg2K", "McIdas"),
    *("Mic", "Mpeg", "Mpo", "Msp", "Palm", "Pcd", "Pcx", "Pdf", "Pixar", "Ppm", "Psd", "Qoi"),
    *("Sgi", "Spider", "Sun", "Tga", "Tiff", "WebP", "Wmf", "Xbm", "Xpm", "XVThumb"),
)
EXCLUDED = [
    *(f"PIL.{name}ImagePlugin" for name in _PICTURES_OUT),
    *(f"PIL.{name}" for name in ("_avif", "_webp", "_imagingcms", "_imagingft", "_imagingmath")),
    *(f"PIL.{name}" for name in ("_imagingmorph", "ImageCms", "ImageMath", "ImageMorph")),
    *(f"PIL.{name}" for name in ("ImageQt", "ImageShow", "ImageGrab", "PdfParser", "features")),
    # The libraries' optional other libraries, should they be installed beside PyInstaller.
    *("numpy", "cryptography", "trio", "curio", "httpx", "h2", "aioquic", "Xlib", "gi"),
    *("PyInstaller", "setuptools", "pkg_resources", "_distutils_hack", "packaging", "pefile"),
    # Python's own: databases, tests, debuggers, formats that nothing here reads.
    *("_wmi", "sqlite3", "_sqlite3", "test", "_testcapi", "_testinternalcapi", "unittest"),
    *("doctest", "pydoc", "pdb", "bdb", "cmd", "code", "idlelib", "lib2to3", "ensurepip", "venv"),
    *("xml", "pyexpat", "_elementtree", "tarfile", "bz2", "_bz2", "lzma", "_lzma", "ftplib"),
    *("statistics", "_pydecimal", "_pydatetime", "_pyio", "curses", "readline", "turtle"),
    *("multiprocessing", "_multiprocessing", "concurrent.futures.process", "xmlrpc"),
]
# dnspython can read every kind of record; it asks for modules of these kinds by name only.
_RECORDS = {
    *("A", "AAAA", "SRV", "NAPTR", "CNAME", "DNAME", "NS", "OPT", "PTR", "SOA", "TXT"),
    *("TSIG", "ZONEMD"),  # by dns.message and dns.zone themselves
}
_SCRIPTS_OUT = (
    *("_tcl_data/tzdata/", "_tcl_data/msgs/", "_tcl_data/tcl8/", "_tcl_data/http1.0/"),
    *("_tcl_data/opt0.4/", "_tcl_data/clock.tcl", "_tcl_data/safe.tcl", "_tcl_data/history.tcl"),
    *("_tcl_data/tcltest", "_tcl_data/platform", "_tcl_data/cookiejar", "_tcl_data/ldAout.tcl"),
    *("_tk_data/demos/", "_tk_data/images/", "_tk_data/msgs/", "_tk_data/mkpsenc.tcl"),
    *("_tk_data/console.tcl", "_tk_data/tkfbox.tcl", "_tk_data/xmfbox.tcl", "_tk_data/safetk.tcl"),
    "tcl8/",
)
# The encodings that a Windows may be set to; Tcl knows UTF-8 and UTF-16 without a file.
_ENCODINGS = {
    *("ascii", "iso8859-1", "symbol", "dingbats", "cp437", "cp850", "cp852", "cp866", "cp874"),
    *("cp932", "cp936", "cp949", "cp950", *(f"cp{number}" for number in range(1250, 1259))),
}
# PyInstaller's start-up code for `inspect.getsource`: it costs the import of four modules.
_HOOKS_OUT = {"pyi_rth_inspect"}


def is_wanted_file(entry: Entry) -> bool:
    """For data files and binaries."""
    name = entry[0].replace("\\", "/")
    if name.startswith(_SCRIPTS_OUT):
        return False
    folder, _, file = name.rpartition("/")
    if folder == "_tcl_data/encoding":
        return file.removesuffix(".enc") in _ENCODINGS
    # The C library is a part of Windows 10 and later.
    return not name.lower().startswith(("api-ms-win-", "ucrtbase"))


def is_wanted_module(entry: Entry) -> bool:
    package, _, leaf = entry[0].rpartition(".")
    if package in ("dns.rdtypes.ANY", "dns.rdtypes.IN", "dns.rdtypes.CH"):
        return leaf in _RECORDS
    return True


def is_wanted_script(entry: Entry) -> bool:
    return entry[0] not in _HOOKS_OUT


def files(entries: Iterable[Entry]) -> list[Entry]:
    """The wanted ones, in an order that does not depend on the disk."""
    return sorted(filter(is_wanted_file, entries))


def sort_library(entries: Iterable[Entry]) -> None:
    """Put the modules of base_library.zip in order: PyInstaller's own differs now and then."""
    for name, text, _ in entries:
        if name == "base_library.zip":
            path = Path(text)
            with zipfile.ZipFile(path) as archive:
                found = {member: archive.read(member) for member in archive.namelist()}
            with zipfile.ZipFile(path, "w") as archive:
                for member in sorted(found):
                    archive.writestr(zipfile.ZipInfo(member), found[member])


def modules(entries: Iterable[Entry]) -> list[Entry]:
    """The wanted ones, in an order that does not depend on the disk."""
    return sorted(filter(is_wanted_module, entries))


def scripts(entries: Iterable[Entry]) -> list[Entry]:
    """The wanted ones; their order is the order in which they run."""
    return list(filter(is_wanted_script, entries))
