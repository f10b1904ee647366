"""The report: what a reader opens to see which method works, as one HTML file without network.

run folders + standings.json --write_report--> report.html, *.png, table.md, numbers.json
one run folder --write_page--> inspect.html
"""

from selfplay.report.writing import CHARACTERS, write_page, write_report

__all__ = ["CHARACTERS", "write_page", "write_report"]
