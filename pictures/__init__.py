"""What one chapter alone draws or tallies, so that its cells stay short and the library small.

A module a chapter, `chNN`: from `from pictures import ch03` on, one call shows a figure. Whatever a
figure shows is handed in by the chapter's cell; nothing here reads a record or trains a model on
its own. What several chapters draw is in `distill_lib.figures`.

A function `draw_...` takes, after what it shows, the sliders' values:

    explore(partial(ch03.draw_bug, bugs, alone), share=[0, 0.5, 1], alpha=[0, 0.5])

The folder stands beside `distill_lib`, and is found wherever that is: both environments, Binder and
Colab look for modules in the root of the repository.
"""
