"""A folder of documents as contexts: what becomes one, and every way in which it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfplay.domains.document_folder import Folder, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handbook.md").write_text("# Rules\n\nBe on time.\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.md").write_text("secret")
    (tmp_path / "empty").mkdir()
    (tmp_path / "product").mkdir()
    (tmp_path / "product" / "system.md").write_text("You are a clerk.\n")
    (tmp_path / "product" / "b.txt").write_text("Second.")
    (tmp_path / "product" / "a.md").write_text("\ufeffFirst.")
    return tmp_path


def test_each_file_and_each_folder_is_a_context(folder):
    handbook, product = read_folder(str(folder))
    assert (handbook.key, handbook.system, handbook.document) == ("handbook", "", "# Rules\n\nBe on time.")
    assert (product.key, product.system, product.document) == ("product", "You are a clerk.", "First.\n\nSecond.")
    assert handbook.trainable
    assert product.trainable


def test_the_splits_part_the_contexts(folder):
    assert len(Folder(str(folder)).contexts("train")) == 2
    assert len(Folder(str(folder), held_out_share=1.0).contexts("held_out")) == 2
    with pytest.raises(ValueError, match=r"^game.split=held_out: holds no context"):
        Folder(str(folder)).contexts("held_out")
    with pytest.raises(ValueError, match=r"^game.split=test: is unknown"):
        Folder(str(folder)).contexts("test")
    with pytest.raises(ValueError, match=r"^domain.held_out_share=2"):
        Folder(str(folder), held_out_share=2)


def test_documents_are_asked_about_in_json_and_have_no_known_truth(folder):
    domain = Folder(str(folder), fewest_rubrics=1)
    context = domain.contexts("train")[1]
    prompt = domain.challenge_prompt(context, "", 3)
    assert "First." in str(prompt)
    assert domain.wording == "json"
    assert domain.truth(context, "Add.", "7") is None
    assert (domain.held_out_tasks(context, 3, 0), domain.true_skill(context), domain.random_rule(context, 0)) == (
        [],
        None,
        None,
    )


def test_no_document_that_is_let_in_is_cut(tmp_path):
    (tmp_path / "long.txt").write_text("é" * 399_990 + " the end")
    domain = Folder(str(tmp_path))
    (context,) = domain.contexts("train")
    prompt = domain.reason_prompt(context, "", "Add.")
    assert "the end" in str(prompt)
    assert str(prompt).count("é") + str(prompt).count("u00e9") == 399_990


def broken(kind: str, folder: Path) -> None:
    if kind == "no text":
        (folder / "void.txt").write_text(" \n")
    elif kind == "not UTF-8":
        (folder / "latin.txt").write_bytes(b"caf\xe9")
    elif kind == "two of one name":
        (folder / "handbook.txt").write_text("another")
    elif kind == "200 pages and more":
        (folder / "long.txt").write_text("word " * 80_001)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("no text", "void.txt holds no text"),
        ("not UTF-8", "latin.txt cannot be read"),
        ("two of one name", "handbook.md and handbook.txt are of one name"),
        ("200 pages and more", "'long' has 400,004 characters, more than domain.longest_context=400,000"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(folder, kind, line):
    broken(kind, folder)
    with pytest.raises(ValueError, match=r"^domain.path=") as error:
        read_folder(str(folder))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_no_folder_and_no_documents_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"^domain.path=.*is no folder"):
        read_folder(str(tmp_path / "missing"))
    with pytest.raises(ValueError, match=r"^domain.path=.*holds no .md, .txt, .pdf file"):
        read_folder(str(tmp_path))


def test_pdf_without_its_reader_is_told(folder):
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4")
    code = "import sys; sys.modules['pypdf'] = None; from selfplay.domains.document_folder import read_folder\n"
    code += f"try: read_folder({str(folder)!r})\nexcept ValueError as error: print(error)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "scan.pdf needs the package pypdf: pip install pypdf" in said


def test_a_broken_pdf_is_told(folder):
    pytest.importorskip("pypdf")
    (folder / "scan.pdf").write_bytes(b"no pdf at all")
    with pytest.raises(ValueError, match=r"scan.pdf cannot be read"):
        read_folder(str(folder))


def pdf(text: str) -> bytes:
    """The smallest PDF that shows a line of text."""
    stream = f"BT /F1 12 Tf 10 50 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)


def test_a_pdf_is_read_and_one_without_text_is_told(folder):
    pytest.importorskip("pypdf")
    (folder / "manual.pdf").write_bytes(pdf("Be on time."))
    assert read_folder(str(folder))[1].document == "Be on time."
    (folder / "scan.pdf").write_bytes(pdf(""))
    with pytest.raises(ValueError, match=r"scan.pdf holds no text; a scanned PDF must be put through OCR first"):
        read_folder(str(folder))
