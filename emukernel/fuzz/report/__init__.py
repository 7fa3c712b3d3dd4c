"""Reports on a campaign's folder: HTML for people, SARIF and JUnit for other tools.

    record.record(folder, seconds)   runs the corpus once more and notes who calls what
    load.load(folder)                all that a report says, as plain data
    html.page(report)                one self-contained HTML file
    sarif.sarif(findings), junit.junit(findings, policy)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.corpus import Folder

#: The report's name in a campaign's folder.
REPORT = "report.html"


def write_html(folder: Folder, path: str) -> None:
    """Writes the report on what is in `folder` to the file `path`. OSError."""
    from emukernel.fuzz.corpus import write_file
    from emukernel.fuzz.report.html import page
    from emukernel.fuzz.report.load import load

    write_file(path, page(load(folder)).encode(errors="backslashreplace"))
