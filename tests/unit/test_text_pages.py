"""The pages of text agree with the chapters, with the library and with one another."""

import ast
import doctest
import importlib
import inspect
import json
import re
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import yaml

import distill_lib
from distill_lib import figures

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
PAGES = sorted([*CHAPTERS.glob("*.md"), *CHAPTERS.glob("*.ipynb")])
GLOSSARY = (CHAPTERS / "glossary.md").read_text("utf-8")
LIBRARY = (CHAPTERS / "library.md").read_text("utf-8")
ENTRIES = {
    term: " ".join(definition.split())
    for term, definition in re.findall(r"^(\w.*)\n((?:  .*\n)+)", GLOSSARY, re.MULTILINE)
}


def text_of(page: Path) -> str:
    """The text of a page; of a notebook, its cells."""
    if page.suffix == ".md":
        return page.read_text("utf-8")
    cells = json.loads(page.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


TEXTS = {page.stem: text_of(page) for page in PAGES}
TOPICS = {"beyond_one_machine": "scale"}  # where the pictures have a shorter name than the page


def test_the_glossary_is_sorted_and_names_each_term_once():
    terms = re.findall(r"^(\w.*)\n  \S", GLOSSARY, re.MULTILINE)
    assert terms == sorted(set(terms), key=str.lower)


@pytest.mark.parametrize("term", ENTRIES)
def test_every_term_is_used_where_the_glossary_says(term):
    named = re.findall(r"{doc}`(\w+)`", ENTRIES[term])
    assert named, "each entry says where the term is met"
    # "Hard label" counts for "hard labels", and "test-split" or a line's end for the space.
    words = r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]", term.removesuffix("s")))
    for page in named:
        assert page in TEXTS, f"there is no chapter {page}"
        assert re.search(words, TEXTS[page], re.IGNORECASE), f"{page} does not use it"


@pytest.mark.parametrize("page", TEXTS)
def test_every_term_role_names_an_entry(page):
    for role in re.findall(r"{term}`([^`]+)`", TEXTS[page]):
        term = re.sub(r".*<(.*)>", r"\1", role, flags=re.DOTALL)
        assert " ".join(term.split()).lower() in {entry.lower() for entry in ENTRIES}


@pytest.mark.parametrize("page", TEXTS)
def test_links_within_the_book_are_relative_and_lead_somewhere(page):
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    repository = config["repository"]["url"]
    owner = repository.rsplit("/", 2)[1]
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if re.match(r"https?://|#", target):
            assert owner not in target, "the buttons lead to the repository"
        else:
            assert (CHAPTERS / target.partition("#")[0]).exists(), target
    for address in re.findall(rf"https?://[^\s)>\"']*{owner}[^\s)>\"']*", TEXTS[page]):
        assert address == repository  # as in `git clone`


@pytest.mark.parametrize("page", ["faq", "glossary", "index", "library", "notation"])
def test_sections_that_are_named_exist(page):
    for chapter, section in re.findall(r'{doc}`(\w+)`,\s+"([^"]+)"', TEXTS[page]):
        assert chapter in TEXTS, f"there is no chapter {chapter}"
        headings = re.findall(r"^#+ (.*)$", TEXTS[chapter], re.MULTILINE)
        section = " ".join(section.split())
        assert any(heading.startswith(section) for heading in headings), section


def test_the_frequent_questions_are_the_ten_the_articles_and_ours():
    questions = re.findall(r"^## .*\?$", TEXTS["faq"], re.MULTILINE)
    assert len(questions) == 19
    ours = ("probabilities, not logits", "my table", "my own", "use the student", "slider")
    assert all(what in asked for what, asked in zip(ours, questions[-5:], strict=True))


def imported(page: str) -> set[str]:
    """What the code cells of a notebook import: modules, or names of the library as its.name."""
    names = set()
    for cell in json.loads((CHAPTERS / f"{page}.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = [re.sub(r"^(\s*)!.*", r"\1pass", line) for line in cell["source"]]
            for node in ast.walk(ast.parse("".join(lines))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("page", [page.stem for page in PAGES if page.suffix == ".ipynb"])
def test_a_chapter_takes_the_front_door(page):
    """From the library, from its own pictures and those that chapters share, and nowhere else."""
    ours = {path.stem for path in (ROOT / "studies").glob("*.py")} | {"distill_lib", "pictures"}
    number = re.match(r"\d\d", page)
    topic = page.partition("_")[2] if number else page
    topic = TOPICS.get(topic, topic)
    pictures = [f"pictures.{topic}", *([f"pictures.ch{number.group()}"] if number else [])]
    for name in imported(page):
        package, _, rest = name.partition(".")
        allowed = (*pictures, "pictures.shared", "comparison")
        parts = tuple(f"{p}_" for p in pictures)
        if package in ours and name not in allowed and not name.startswith(parts):
            assert package == "distill_lib", f"{name}: not from the library itself"
            assert rest == "figures" or (rest in vars(distill_lib) and "." not in rest), name
    assert "comparison" not in imported(page) or page == "07_fair_comparison"


def shown() -> dict[str, str]:
    """What the library page explains: names, each with its signature if it shows one."""
    heads = re.findall(r"^(`.*`)\n: ", LIBRARY, re.MULTILINE)
    calls = [call for head in heads for call in re.findall("`([^`]+)`", head)]
    return {call.partition("(")[0]: call for call in calls}


def thing(name: str) -> object:
    """What the page means by a name."""
    return reduce(getattr, name.split("."), distill_lib)


def test_the_library_page_explains_every_public_name():
    public = {n for n, o in vars(distill_lib).items() if n[0] != "_" and not inspect.ismodule(o)}
    own = [n for n, o in inspect.getmembers(figures, inspect.isfunction) if n[0] != "_"]
    public |= {f"figures.{n}" for n in own if getattr(figures, n).__module__ == figures.__name__}
    assert public - set(shown()) == set(), "chapters/library.md says nothing of these"


@pytest.mark.parametrize("call", shown().values())
def test_the_library_page_shows_real_signatures(call):
    name, bracket, rest = call.partition("(")
    what = thing(name)
    if not bracket or rest == "...)":
        return
    parameters = {
        n: p for n, p in inspect.signature(what).parameters.items() if n not in ("self", "cls")
    }
    given = ast.parse(f"def f({rest.replace(', ...', '')}: ...").body[0].args
    plain = given.posonlyargs + given.args
    names = [a.arg for a in [*plain, given.vararg, *given.kwonlyargs, given.kwarg] if a]
    assert names == list(parameters)[: len(names)]
    assert "..." in rest or len(names) == len(parameters)
    defaults = dict(zip([a.arg for a in plain[::-1]], given.defaults[::-1], strict=False))
    defaults |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d}
    assert set(defaults) == {n for n in names if parameters[n].default is not inspect._empty}
    for n, default in defaults.items():
        assert eval(ast.unparse(default), {"np": np}) == parameters[n].default


def test_the_library_page_lists_the_modules_in_their_order():
    listed = re.findall(r"^\| \[`(\w+)`\]\(#", LIBRARY, re.MULTILINE)
    assert re.findall(r"^## (\w+)$", LIBRARY, re.MULTILINE) == listed
    assert listed.pop() == "livefigures"  # a package of its own
    for place, name in enumerate(listed):
        module = importlib.import_module(f"distill_lib.{name}")
        imported = re.findall(r"^from distill_lib\.(\w+) import", inspect.getsource(module), re.M)
        assert set(imported) <= {*listed[:place]}


def test_the_examples_of_the_library_page_print_what_it_says():
    code = "\n".join(re.findall(r"^```pycon\n(.*?)^```", LIBRARY, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(code, {}, "library", "library.md", 0)
    report = []
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)


def test_the_first_figure_shows_what_a_real_teacher_says():
    """The Welcome page trains nothing; its ten typed numbers must be those of a trained teacher."""
    typed = re.search(r"logits = np\.array\((\[.*?\])\)", TEXTS["index"]).group(1)
    row = int(re.search(r"validation\.take\(\[(\d+)\]\)", TEXTS["index"]).group(1))
    data = distill_lib.digits()
    teacher = distill_lib.MLP((64, 256, 256, 10), seed=0)
    distill_lib.train(
        teacher,
        data.train,
        distill_lib.hard_labels(data.train),
        steps=2000,
        batch_size=64,
        optimizer=distill_lib.Adam(0.003),
        schedule=distill_lib.cosine_decay,
    )
    logits = teacher.logits(data.validation.inputs[row : row + 1])[0]
    # Another processor rounds otherwise, and 2,000 steps make that grow.
    np.testing.assert_allclose(ast.literal_eval(typed), logits, atol=0.5)
    assert data.validation.labels[row] == logits.argmax() == 3
