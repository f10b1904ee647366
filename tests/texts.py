"""Texts that models really say and texts that no one would: what every reader of model output must survive."""

from __future__ import annotations

from hypothesis import strategies as st

NEARLY = "0123456789+-*x×−=>.,()/ \n?"
"""The signs of arithmetic, so that random texts come close to being problems and answers."""

UGLY = (
    "",
    " \n\t ",
    "\x00",
    "\ud800",  # half of a surrogate pair, as a byte-level decoder can leave behind
    "٣+٤",
    "1" * 100_000,
    "1+" * 50_000,
    ">" + "9" * 100_000,
    "<answer>" * 12_500,
    "<answer>" + "9" * 100_000 + "</answer>",
    " " * 100_000,
    "9" * 5_000 + "+1",
)

texts = st.one_of(
    st.text(max_size=200),
    st.text(alphabet=NEARLY, max_size=80),
    st.sampled_from(UGLY),
    st.builds("{}+{}".format, st.integers(0, 9999), st.integers(0, 9999)),
    st.builds(">{}".format, st.integers(0, 99999)),
    st.builds("<answer>{}</answer>".format, st.integers(-9999, 99999)),
)
