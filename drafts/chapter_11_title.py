import sys, nbformat
sys.path.insert(0,'/tmp')
from nbedit import md, code
S=["nbval-ignore-output"]
cells=[]
A=cells.append
A(md("title", r"""
# A famous table, on a laptop

Ten handwritten digits, a large network, a small one, and three numbers: **67**, **146**, **74**. They stand in the
paper that made {term}`distillation` known {cite:p}`hinton2015`, and they count errors among the 10,000 test images of MNIST
{cite:p}`lecun1998`. The large network makes 67. A smaller one that learns from the labels makes 146. The same smaller
one, taught by the large one, makes 74. This chapter computes them again, in NumPy.

**What you will be able to do**

- say what the table shows, and how sure one can be of "seven additional errors";
- read how errors depend on $T$ and on the width of the student;
- have a digit recognised that was never shown, without a look at the test set;
- tell what brings a student closer to its teacher, and what does not;
- explain how a network passes on what nobody asked it about.

## The table first

Choose a width for the student, and move $T$. Each line is a mean over five students, each with a teacher of its own;
the bands are 95% {term}`confidence intervals <confidence interval>`. The two flat lines do not know of $T$: the same
student on {term}`hard labels` alone, and the teacher.
"""))
fetch=next(c for c in nbformat.read('/work/main/chapters/07_fair_comparison.ipynb',4).cells if c.id=="fetch")
A(fetch)
A(code("imports", """
from functools import partial

import numpy as np

from distill_lib import Choices, explore, recorded, show
from pictures import ch11
from pictures import ch11_exercises as exercises
"""))
A(code("records", """
rows = ch11.taught(recorded("mnist"))
teacher = ch11.of_whole_length(recorded("mnist_teachers"))
"""))
A(code("explore-table", """
explore(
    partial(ch11.draw_table, rows, teacher),
    width=list(ch11.WIDTHS),
    T=Choices([1, 2, 4, 8, 20]),
    start={"T": 20},
    name="table",
)
""",S))
A(md("table-intro", r"""
The published numbers, and ours. A ± is half of a 95% interval.
"""))
A(code("table", """
ours = {
    "teacher": teacher,
    "labels alone": rows[ch11.PARENT, None],
    "soft targets, T = 20": rows[ch11.PARENT, 20],
    "soft targets, T = 4": rows[ch11.PARENT, 4],
}
for name, row in ours.items():
    there = ch11.PUBLISHED.get(name, "")
    print(f"{name:>20}: published {there:>3}, here {ch11.errors(row):.0f}")
"""))
A(md("table-after", r"""
TABLE-AFTER
"""))
A(md("who", r"""
## Who is taught, and how

The **teacher** has two hidden layers of 1,200 {term}`ReLU`s, and three things that keep it from learning the training
images by heart:

- *dropout*: in each step, a random part of its units is silent, so that no unit can lean on another;
- *short weights*: the weights that come into a unit may not be longer, as a vector, than a bound;
- *moved images*: at each look, an image is moved by up to two pixels to any side.

The **students** have none of that. They see the 60,000 images as they are, twenty times each, and learn from the labels
alone, or from the teacher's {term}`soft targets` alone. They have never seen a moved image.

The library has the pieces. This is the teacher's net, too small to be good and quick to make:
"""))
A(code("pieces", """
from distill_lib import Dropout, Linear, Network, ReLU, jitter, max_norm

width = 12  # the teacher's is 1,200
layers = [Dropout(0.1)]
for k, n in enumerate((784, width), start=1):
    layers += [Linear(n, {f"hidden_{k}": width}), ReLU(), Dropout(0.4)]
net = Network([*layers, Linear(width, {"logits": 10}, gain=1.0)])
print(net)
"""))
A(md("pieces-after", r"""
`train(net, …, augment=jitter(2), after_step=max_norm(2))` moves the images and keeps the weights short. The images come with
`mnist()`, which downloads four files (12 MB) once, checks each, and keeps them:

```python
from distill_lib import mnist

data = mnist()  # or the files in the folder that DISTILL_MNIST names
```

All that you see here was recorded by one command, which takes hours rather than minutes, shows how far it is, and goes on where it was
interrupted: `python studies/mnist.py`. **How choices were made:** MNIST has no {term}`validation split`. We set 10,000
of the 60,000 training images aside. A teacher and students that had seen the other 50,000 were tried on them: that chose the
learning rate of every setting, how much dropout the teacher has, and how short its weights are. Then all were trained
again, on 60,000, and counted on the test set once.
"""))
A(md("sure", r"""
## Seven additional errors

The paper has one teacher and one student. How much of 67, 146 and 74 is chance? Two kinds of chance are in it: another start
of the training gives other errors; and the test images are 10,000 out of many that could have been drawn. Here is
the difference of student and teacher with both:
"""))
A(code("seven", """
for T in (4, 20):
    more = ch11.more_errors(rows[ch11.PARENT, T], teacher)
    print(f"T = {T:>2}: {more:+.0f} errors more than its teacher")
saved = ch11.more_errors(rows[ch11.PARENT, 4], rows[ch11.PARENT, None])
print(f"T =  4: {saved:+.0f} beside labels alone")
"""))
A(md("seven-after", r"""
SEVEN-AFTER
"""))
nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'}, 'language_info': {'name': 'python'}}), '/tmp/mn/08.ipynb')
