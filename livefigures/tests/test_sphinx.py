"""The Sphinx extension alone, without a build."""

import os
import sys
from types import SimpleNamespace
from unittest.mock import Mock, patch

import pytest
from docutils import nodes
from docutils.utils import new_document
from livefigures.palette import page_style
from sphinx import addnodes

from livefigures import sphinx


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch):
    """Set the extension up in a terminal; what it returns and the variables are taken back."""
    for name in ("LIVEFIGURES_BUILD", "LIVEFIGURES_PROGRESS"):
        monkeypatch.setenv(name, "")  # so that it is taken back afterwards
        monkeypatch.delenv(name)

    monkeypatch.setattr(os, "ttyname", lambda number: "/dev/tty7", raising=False)

    def run() -> dict:
        monkeypatch.setattr(sys, "stderr", Mock())  # says yes when asked for a terminal
        return sphinx.setup(Mock())

    return run


def test_kernels_learn_that_a_page_is_being_built(set_up):
    set_up()
    assert os.environ["LIVEFIGURES_BUILD"] == "sphinx"


def test_progress_goes_to_the_terminal(set_up):
    set_up()
    assert os.environ["LIVEFIGURES_PROGRESS"] == "/dev/tty7"


def test_who_has_named_a_place_for_progress_keeps_it(set_up, monkeypatch):
    monkeypatch.setenv("LIVEFIGURES_PROGRESS", "mine.log")
    set_up()
    assert os.environ["LIVEFIGURES_PROGRESS"] == "mine.log"


def test_a_book_can_be_built_in_a_terminal_of_windows(set_up, monkeypatch):
    monkeypatch.delattr(os, "ttyname", raising=False)  # Windows has none
    set_up()
    assert "LIVEFIGURES_PROGRESS" not in os.environ


def test_it_may_be_built_in_parallel(set_up):
    assert set_up()["parallel_read_safe"] and set_up()["parallel_write_safe"]


def test_a_changed_package_writes_the_pages_again(set_up, monkeypatch, tmp_path):
    def rebuilds_by() -> str:
        app = Mock()
        sphinx.setup(app)
        ((name, value, what), _) = app.add_config_value.call_args
        assert (name, what) == ("livefigures_content", "html")
        return value

    (tmp_path / "static").mkdir()
    (tmp_path / "static/livefigures.js").write_text("one")
    monkeypatch.setattr(sphinx, "PACKAGE", tmp_path)
    before = rebuilds_by()
    assert before == rebuilds_by()
    (tmp_path / "static/livefigures.js").write_text("two")
    assert before != rebuilds_by()


def test_the_static_folder_has_the_two_files_that_pages_load():
    config = SimpleNamespace(html_static_path=["_static"])
    sphinx.add_static_files(Mock(), config)
    assert config.html_static_path == ["_static", str(sphinx.STATIC)]
    assert {p.name for p in sphinx.STATIC.iterdir()} == {"livefigures.css", "livefigures.js"}


def test_of_equal_styles_a_page_keeps_the_first():
    one, other = page_style(), page_style().replace("#", "#1")
    page = f"<p>{one}<svg/></p>{one}<style>p{{}}</style>{other}{one}{other}"
    context = {"body": page}
    sphinx.finish_page(Mock(), "page", "page.html", context, None)
    assert context["body"] == f"<p>{one}<svg/></p><style>p{{}}</style>{other}"
    sphinx.finish_page(Mock(), "search", "search.html", nothing := {}, None)
    assert nothing == {}


def test_pages_load_the_script_and_the_style_sheet_without_comments(tmp_path):
    (tmp_path / "_static").mkdir()
    for path in sphinx.STATIC.iterdir():
        (tmp_path / "_static" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    sphinx.shorten_static_files(SimpleNamespace(outdir=tmp_path), None)
    for kind, before in (("js", "// Brings each"), ("css", "/* The living")):
        source = (sphinx.STATIC / f"livefigures.{kind}").read_text("utf-8")
        made = (tmp_path / f"_static/livefigures.{kind}").read_text("utf-8")
        assert before in source and before not in made and "\n" not in made
        assert len(made) < 0.9 * len(source)


def test_a_link_to_a_frame_is_a_link_and_others_are_left_to_myst():
    document = new_document("page")
    for target in ("softmax:T=20", "section"):
        node = addnodes.pending_xref("", nodes.inline("", target), reftype="myst", reftarget=target)
        document += node
    sphinx.link_frames(Mock(), document)
    assert [type(node) for node in document] == [nodes.reference, addnodes.pending_xref]
    assert document[0]["refuri"] == "#softmax:T=20" and document[0].astext() == "softmax:T=20"


def test_what_is_wrong_in_the_prose_stops_a_strict_build(monkeypatch):
    warned = Mock()
    monkeypatch.setattr(sphinx, "logger", SimpleNamespace(warning=warned))
    body = '<a href="#softmax:T=20">see T = 20</a>'
    sphinx.finish_page(Mock(), "page", "page.html", {"body": body}, None)
    ((words,), options) = warned.call_args
    assert "no figure softmax has T = 20" in words and options["location"] == "page"
    sphinx.finish_page(Mock(), "search", "search.html", {}, None)
    assert warned.call_count == 1


def test_a_figure_of_more_than_a_megabyte_warns_and_a_strict_build_fails():
    heavy = f'<figure class="explorer">{"x" * 1_300_000}</figure>'
    for words, expected in ((heavy, 1), ('<figure class="explorer">x</figure>' * 50_000, 0)):
        with patch.object(sphinx.logger, "warning") as warning:
            sphinx.finish_page(Mock(), "page", "page.html", {"body": words}, None)
        assert warning.call_count == expected
        if expected:
            assert "1.3 MB" in warning.call_args[0][0] and "rasterized" in warning.call_args[0][0]
            assert warning.call_args[1]["location"] == "page"
