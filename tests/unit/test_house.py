"""The house rules of the library: which module may import which, and what every name tells."""

import ast
from pathlib import Path

import pytest

import distill_lib

LIBRARY = Path(distill_lib.__file__).parent
# From the ground up: a module imports only from those before it.
ORDER = [
    "checks",
    "losses",
    "metrics",
    "layers",
    "convolution",
    "models",
    "data",
    "mnist",
    "training",
    "distillation",
    "statistics",
    "results",
    "store",
    "figures",
]
EXPLAINED = ORDER[: ORDER.index("results")]  # what chapters derive or walk through
TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in LIBRARY.glob("*.py")}
EVERY_MODULE = pytest.mark.parametrize("module", ORDER)


def imports(module):
    """Names of all modules that it imports, also within functions; its own package as its name."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "distill_lib" if node.level else None
            base = ".".join(filter(None, (package, node.module)))
            found |= {base} if base != "distill_lib" else {f"{base}.{a.name}" for a in node.names}
    return found


def lines(module):
    return (LIBRARY / f"{module}.py").read_text("utf-8").count("\n")


def length(function):
    """Lines of a function without its docstring and the signature."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_the_library_is_read_in_one_sitting():
    """Budgets, docstrings included: there is room for what is still to come, and no more."""
    total = sum(map(lines, [*ORDER, "__init__"]))
    assert total < 3000, total
    assert {module: lines(module) for module in ORDER if lines(module) > 400} == {}


@EVERY_MODULE
def test_no_function_is_longer_than_a_screen(module):
    functions = [n for n in ast.walk(TREES[module]) if isinstance(n, ast.FunctionDef)]
    assert {f.name: length(f) for f in functions if length(f) > 60} == {}


def neighbours(module):
    return {name.split(".")[1] for name in imports(module) if name.startswith("distill_lib.")}


def test_every_module_has_its_place():
    assert set(TREES) == {*ORDER, "__init__"}


@EVERY_MODULE
def test_a_module_imports_only_from_those_before_it(module):
    assert neighbours(module) <= set(ORDER[: ORDER.index(module)])


@EVERY_MODULE
def test_only_the_package_of_the_slider_knows_of_widgets(module):
    assert not {name.split(".")[0] for name in imports(module)} & {"ipywidgets", "IPython"}


@pytest.mark.parametrize("module", [m for m in ORDER if m != "figures"])
def test_only_what_draws_knows_of_matplotlib_and_of_the_slider(module):
    assert not {name.split(".")[0] for name in imports(module)} & {"matplotlib", "livefigures"}


def test_figures_do_not_go_through_pyplot():
    assert "matplotlib.pyplot" not in imports("figures")


def test_the_library_needs_no_other_framework_and_nothing_that_needs_the_library():
    everything = {name.split(".")[0] for module in TREES for name in imports(module)}
    assert not everything & {"torch", "tensorflow", "jax", "keras", "autograd", "pandas"}
    assert not everything & {"bridges", "pictures", "studies"}


def is_dots(function):
    """Whether its body is `...` alone."""
    return isinstance(getattr(function.body[0], "value", None), ast.Constant) and (
        function.body[0].value.value is ...
    )


def setters(function):
    return [d for d in function.decorator_list if getattr(d, "attr", "") == "setter"]


def public(module):
    """(name, node, where its docstring is) of every public function, class and method."""
    found = []

    def walk(body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.append((prefix + node.name, node, node))
                for own in node.body:
                    if getattr(own, "name", "") in ("__init__", "__post_init__"):
                        found.append((f"{prefix}{node.name}.{own.name}", own, node))
                walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                explained = is_dots(node) or setters(node)  # by the protocol, by the property
                found.extend([] if explained else [(prefix + node.name, node, node)])

    walk(TREES[module].body, f"{module}.")
    return found


EVERY_NAME = [case for module in ORDER for case in public(module)]
CHECKS = {name.split(".")[1] for name, *_ in public("checks") if ".check_" in name}


def raises(function):
    """Whether its own lines raise, or call what checks input; not where they hand on an error."""
    return isinstance(function, ast.FunctionDef) and any(
        (
            isinstance(node, ast.Raise)
            and node.exc
            and ast.unparse(node.exc) != "NotImplementedError"
        )
        or (isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("checks.") in CHECKS)
        for node in ast.walk(function)
    )


@EVERY_MODULE
def test_a_module_says_what_it_is(module):
    assert len(ast.get_docstring(TREES[module]) or "") > 20


@pytest.mark.parametrize(
    "node, home", [case[1:] for case in EVERY_NAME], ids=[case[0] for case in EVERY_NAME]
)
def test_a_public_name_tells_what_it_does_and_what_it_raises(node, home):
    docstring = ast.get_docstring(home) or ""
    assert len(docstring) > 10
    if raises(node):
        assert "ValueError" in docstring, "it raises, and its docstring does not say so"


@pytest.mark.parametrize("module", EXPLAINED)
def test_arguments_and_results_have_types(module):
    for name, node, _ in public(module):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [
                a.arg for a in arguments if not a.annotation and a.arg not in ("self", "cls")
            ]
            assert not untyped and node.returns is not None, name


def test_nothing_prints():
    for module, tree in TREES.items():
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        assert not [n for n in calls if getattr(n.func, "id", "") == "print"], module
