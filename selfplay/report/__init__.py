"""The report: what a reader opens to see which method works, as one HTML file without network.

    run folders + standings.json --write_report--> report.html, *.png, table.md, numbers.json
    one run folder               --write_page--> inspect.html

Texts of models are data: they travel as compressed JSON in base64 and become text nodes, never markup. The page holds
at most ``CHARACTERS`` bytes of texts, divided among the runs; where they have more it says how many episodes it shows,
and that they are spread over steps and rewards (``stored.choose``).

Measured with a run of 10^5 episodes (500 steps of 200, 8 turns each, 33 MB of text; one of two busy cores, Chromium 156
without a screen): 10.9 MB of page, written in 13 CPU-seconds with 230 MB of memory; first paint after 0.25 s, the list
usable after 0.6 to 1.0 s, a filter or a new order 0.03 to 0.1 s, a search through all texts 1.5 to 2 s (it unpacks
every pack). tests/report/test_page.py holds it to few elements and few packs.
"""

from selfplay.report.writing import CHARACTERS, write_page, write_report

__all__ = ["CHARACTERS", "write_page", "write_report"]
