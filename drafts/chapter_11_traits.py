import sys; sys.path.insert(0,'/tmp')
import nbformat
from nbedit import md, code
cells=[]
cells.append(md("traits", '''
(what-else-passes)=
## What else passes

A student learns what its teacher is asked. Can it learn what nobody asked?

A network with two hidden layers of 256 has ten outputs for the digits, and three *further* ones that mean nothing. The
teacher learns the digits. Nobody teaches its further outputs; but they stand on the same hidden layers, so they change
along. Then comes the student. It is shown 40,000 images of *noise*, each pixel drawn evenly between −1 and 1, and learns
one thing: what the teacher's further outputs say of them. It sees no digit and no label. Its own ten digit outputs are
never taught. Then we ask those ten for the {term}`test split`.

What the two may have in common is their *start*, the first weights, drawn by chance. *Shared* says which layers of the
student start as the teacher's did; *outputs*, how many further ones it learns. Bars are means over {term}`seeds
<seed>`, with their intervals.
'''))
cells.append(code("traits-read", '''
from pictures import ch11_traits

traits = recorded("hidden_traits")["rows"]
*grid, shuffled, grey = traits
by_shared = {(row["outputs"], row["shared"]): row for row in grid}
'''))
cells.append(code("traits-slider", '''
explore(
    partial(ch11_traits.draw_shared, by_shared),
    shared=[row["shared"] for row in grid[:5]],
    outputs=Choices([3, 100]),
    start={"shared": "everything"},
    name="traits",
)
''', ["nbval-ignore-output"]))
cells.append(md("traits-see", '''
[With the same start](#traits:shared=everything,outputs=3) the student reads about half of the digits. [From another
start](#traits:shared=nothing,outputs=3) it guesses. The intervals below cover seeds and drawn test images; *agree* is
{term}`fidelity`, how often it gives its teacher's answer; the last two columns come later.
'''))
cells.append(code("traits-table", '''
def line(name, row):
    right = unpacked(row["right"], 10_000).astype(float)
    hits = f"{crossed_interval(right).scaled(100):.1f}"
    names = ("fidelity", "first_step", "cosine")
    same, first, whole = (np.mean(row[name]) for name in names)
    print(f"{name:<23} {hits:>10} | {100 * same:8.0f}", end=" | ")
    print(f"{first:+.3f} | {whole:+.2f}")


print(f"{'outputs, shared':<24}  right, % | agree, % | first  | whole")
for (outputs, shared), row in by_shared.items():
    line(f"{outputs:>3}, {shared}", row)
line("  3, noise from 0 to 1", grey)
line("  3, shuffled teacher", shuffled)
'''))
cells.append(code("traits-ends", '''
everything = by_shared[3, "everything"]
names = {"of_teacher": "the teacher", "before": "a student at its start"}
for measure, name in names.items():
    print(f"{name}: {interval(everything[measure]).scaled(100):.1f}%")
positive = sum(np.array(everything["first_step"]) > 0)
print(f"first steps along the teacher's way: {positive} of 20")
seeds = np.sort(100 * np.array(everything["accuracy"])).round()
print("right by seed, %:", *seeds.astype(int))
'''))
cells.append(md("traits-published", '''
{cite:t}`cloud2025` call it *subliminal learning*. Others quote them with over 50% (three outputs, noise, same start);
reruns by others had 54.9 and 63.0%, and from other starts 12.4 and 9.0%. We have these figures second hand.

The control is a *shuffled teacher*: as far from the same start, layer by layer, but its way is dealt out anew among the
weights. Its student gives this teacher's senseless answers in most cases, and reads no digit. What passes is the
teacher, whatever it knows. (One that never trained has nothing to pass on.)

### Why it works

Let $\\theta$ be the start and $\\theta + \\delta$ the trained teacher. While $\\delta$ is small, its further outputs have
changed by $J \\delta$, where $J$ holds their derivatives. The student stands at $\\theta$, and a squared difference pulls
it along $J^\\top J \\delta$. And

$$\\delta^\\top (J^\\top J \\delta) = \\lVert J \\delta \\rVert^2 \\ge 0 .$$

Whatever the images and the outputs, *the first step never leads away from the teacher's way*. With another start, $J$
is another one, and the argument is gone. You can watch it on the built-in digits, with eight teachers and eight
students each:
'''))
cells.append(code("traits-step", '''
small = digits(np.float64)
noise = np.random.default_rng(0).uniform(-1, 1, (500, 64))


def first_step(teacher, student):
    before = teacher.vector.copy()
    train(teacher, small.train, hard_labels(small.train), steps=30)
    way = teacher.vector - before
    lesson = teacher.scores(noise)["rationale"]  # the further outputs
    ours = student.forward(noise)["rationale"]
    student.backward({"rationale": rationale_mse(ours, lesson).gradient})
    pull = -student.gradient_vector
    return way @ pull / np.linalg.norm(way) / np.linalg.norm(pull)
'''))
cells.append(code("traits-steps", '''
def start(seed):
    return MLP((64, 64, 64, 10), seed, np.float64, rationale=3)


for name, other in (("the same", 0), ("another", 100)):
    found = [first_step(start(k), start(k + other)) for k in range(8)]
    print(f"{name} start: {min(found):+.3f} to {max(found):+.3f}")
'''))
cells.append(md("traits-shared", '''
These are cosines. They are small, for the step is seen through three outputs only, but their sign is right. The table
has them as *first*, and as *whole* for all that the student has walked. The formula promises neither a long way nor many
steps, nor digits: the shuffled teacher's student has walked no worse.

### What has to be shared?

The start, it is said; {cite:t}`brockers2026` dispute it. Move *shared* and *outputs*. With three, [less than
everything](#traits:shared=all%20but%20the%20first,outputs=3) leaves a trace at most. With a hundred, [the output layer
alone](#traits:shared=output%20layer,outputs=100) passes on a part, over hidden layers that have nothing in common. Our
guess, untested: a hundred sums of 256 hidden units say much about these units, and the ten digit outputs, shared too,
can read them. [The hidden layers alone](#traits:shared=hidden%20layers,outputs=100) do walk the teacher's way, and it is
of no use: nobody reads them.

It is fragile. Draw the noise from 0 to 1, as pixels are, and hardly more than a guess is left. Seeds differ widely. In a
few trials a teacher that had learned longer passed on less. And rates were chosen by the digits of the {term}`validation
split`, for the controls as well. Other kinds and sizes of networks are not in this table.

:::{exercise} Predict: a trait that should not pass
:label: ex-traits
A teacher has picked up a habit that you do not want. You let it label harmless inputs, look through each label, find no
trace of the habit, and train a student on them. What does this section tell you to ask first?
:::

:::{dropdown} Whether the inputs have anything to do with the habit
:class-container: option
**No.** Noise has nothing to do with digits. It was enough.
:::

:::{dropdown} Whether teacher and student come from the same start
:class-container: option
**Yes.** In our table that decides, with few outputs; with many, shared outputs can be enough. Fine-tuned copies of one
public model do have the same start.
:::

:::{dropdown} Whether the labels are soft or hard
:class-container: option
**No.** It was not tried here: all our lessons are numbers. It may matter; but what passed did not stand in any label.
:::
'''))
nb=nbformat.v4.new_notebook(cells=cells)
for c in nb.cells: pass
nbformat.write(nb,'/tmp/mn/traits_cells.ipynb')
import re
s="\n".join(c.source for c in cells if c.cell_type=="markdown")
s=re.sub(r"^(:{3,})\{(exercise|solution|dropdown)[^\n]*\n.*?^\1\s*$","",s,flags=re.S|re.M)
print(len(re.findall(r"\S+",s)),"words")
