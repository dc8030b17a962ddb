"""Formulas as MathML, written into the page when the book is built: no script, no request.

Whatever the converter does not understand is a warning, and the book is built with warnings as
errors.
"""

import re

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
convert = LatexToMathML(annotation=True, fancy_error=False).convert_with_local_state


def mathml(node: nodes.Element, *, display: bool) -> str:
    """Return the MathML of a math node."""
    tex = node.astext().strip()
    if r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    # The book numbers an equation by its label, so an environment must not number its lines.
    tex = re.sub(r"(\\(?:begin|end)\{(?:align|gather|equation))\}", r"\1*}", tex)
    try:
        return convert(tex, displaystyle=display)
    except LatexError as error:
        logger.warning("formula not understood: %s\n%s", error, tex, location=node)
        return f"<code>{nodes.unescape(tex)}</code>"


def visit_math(self: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula in a line of text."""
    self.body.append(mathml(node, display=False))
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula on a line of its own, with its number if it has a label."""
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(f'<div class="formula">{mathml(node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Offer the renderer to Sphinx under the name that _config.yml gives."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
