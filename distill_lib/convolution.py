"""Layers for images: convolution, and pooling by averages (LeCun et al. 1998).

An image is a row of inputs, height · width · channels numbers, the channels of one place side by
side: so these layers stand among all others, and a `Linear` after them sees the whole image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from distill_lib.checks import Array, check_kind, check_whole
from distill_lib.layers import KINDS, Layer, Memory

Image = tuple[int, int, int]
AT_ONCE = 2**20
"""So many numbers are laid out for one matrix product at most, whatever the size of the batch."""


class ImageLayer(Layer):
    """What the layers for images share.

    Attributes:
        image: height, width and channels of an input, which has shape (examples, their product).
        name: of all outputs together, as scores; "" for none.
        output_image: height, width and channels of an output, for the layer that comes next.

    ValueError for an image that is not three whole numbers above 0, or a name that is no text.
    """

    image: Image
    name: str
    output_image: Image

    def __post_init__(self) -> None:
        if not isinstance(self.image, tuple | list) or len(self.image) != 3:
            raise ValueError(f"image must be (height, width, channels), got {self.image!r}")
        for size in self.image:
            check_whole("each size of image", size)
        check_kind("name", self.name, str)
        vars(self).update(image=tuple(self.image))  # a file has lists

    def _gives(self, *output_image: int) -> None:
        """What follows from the image that comes out: no fields, as in `Linear`."""
        sizes = (prod(self.image), prod(output_image))
        scores = {self.name: sizes[1]} if self.name else {}
        vars(self).update(output_image=output_image, sizes=sizes, scores=scores)


@dataclass(frozen=True)
class Conv2d(ImageLayer):
    """At each place of an image, the same linear scores of the square of places around it.

    Outside of the image there are zeros: the border is a place like others. Of the square, `size`
    is the lines and columns, an odd number; `filters`, the scores at each place, are the channels
    of what comes out. The first weights are normal with variance 2 / inputs of a filter (He et al.
    2015). ValueError for sizes below 1 or not whole, or an even `size`. Chapter 11.
    """

    image: Image
    filters: int
    size: int = 3
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("filters", self.filters)
        check_whole("size", self.size)
        if self.size % 2 == 0:
            raise ValueError(f"size must be odd, for a square with a middle, got {self.size}")
        (height, width, channels), filters = self.image, self.filters
        self._gives(height, width, filters)
        seen = self.size**2 * channels
        vars(self).update(
            shapes={"W": (seen, filters), "b": (filters,)},
            multiply_adds=height * width * seen * filters,
            n_kept=(seen + 1) * filters,
        )

    def start(self, parameters: Mapping[str, Array], rng: np.random.Generator) -> None:
        """Draw the weights."""
        W = parameters["W"]
        W[:] = rng.normal(0, np.sqrt(2 / len(W)), W.shape)

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """Shape (examples, outputs)."""
        W = memory.parameters["W"]
        z = memory.array("outputs", (len(inputs), self.sizes[1]), W.dtype)
        places = z.reshape(-1, self.filters)
        for rows, squares in self._squares(inputs, self.image[2], memory):
            np.matmul(squares, W, out=places[rows])
        places += memory.parameters["b"]
        return z

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """As in `Linear`, place by place; d inputs is a convolution by the filters upside down."""
        W, dW, channels = memory.parameters["W"], memory.gradients["W"], self.image[2]
        d = gradient.reshape(-1, self.filters)
        np.einsum("ij->j", d, out=memory.gradients["b"])  # so many rows `sum` is slow at
        part = memory.array("d W", W.shape, W.dtype)
        dW[:] = 0
        for rows, squares in self._squares(memory.inputs, channels, memory):
            dW += np.matmul(squares.T, d[rows], out=part)
        if first:
            return None
        turned = memory.array("turned", (self.size**2, self.filters, channels), W.dtype)
        turned[:] = W.reshape(-1, channels, self.filters)[::-1].swapaxes(1, 2)
        dx = memory.array("d inputs", memory.inputs.shape, W.dtype)
        for rows, squares in self._squares(gradient, self.filters, memory):
            np.matmul(squares, turned.reshape(-1, channels), out=dx.reshape(-1, channels)[rows])
        return dx

    def _squares(
        self, batch: Array, channels: int, memory: Memory
    ) -> Iterator[tuple[slice, Array]]:
        """A row for each place, with the square around it, and which of all places they are."""
        (height, width, _), edge = self.image, self.size // 2
        shape = (len(batch), height + 2 * edge, width + 2 * edge, channels)
        framed = memory.array(f"{channels} framed", shape, batch.dtype)
        framed[:] = 0
        inside = framed[:, edge : edge + height, edge : edge + width]
        inside[:] = batch.reshape(inside.shape)
        windows = sliding_window_view(framed, (self.size, self.size), axis=(1, 2))
        step = max(1, AT_ONCE // windows[0].size)
        for k in range(0, len(batch), step):
            part = windows[k : k + step].transpose(0, 1, 2, 4, 5, 3)
            squares = memory.array(f"{channels} squares", part.shape, batch.dtype)
            squares[:] = part
            rows = slice(k * height * width, (k + len(part)) * height * width)
            yield rows, squares.reshape(-1, self.size**2 * channels)


@dataclass(frozen=True)
class AveragePool2d(ImageLayer):
    """The mean of each square of places, channel by channel; of the whole image, if it is as large.

    `size` is the lines and columns of a square. ValueError for one that is not whole, or does not
    divide height and width. Chapter 11.
    """

    image: Image
    size: int = 2
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("size", self.size)
        if self.image[0] % self.size or self.image[1] % self.size:
            raise ValueError(f"size must divide height and width of {self.image}, got {self.size}")
        self._gives(self.image[0] // self.size, self.image[1] // self.size, self.image[2])

    def _squares(self, batch: Array) -> Array:
        """Shape (examples, height / size, size, width / size, size, channels)."""
        height, width, channels = self.output_image
        return batch.reshape(-1, height, self.size, width, self.size, channels)

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """Shape (examples, outputs)."""
        means = memory.array("outputs", (len(inputs), self.sizes[1]), inputs.dtype)
        means[:] = 0
        places, squares = means.reshape(-1, *self.output_image), self._squares(inputs)
        for i, j in np.ndindex(self.size, self.size):  # faster than `mean` over two axes
            places += squares[:, :, i, :, j]
        means /= self.size**2
        return means

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """Each place of a square gets the same share."""
        dx = memory.array("d inputs", memory.inputs.shape, gradient.dtype)
        share = gradient.reshape(-1, *self.output_image)[:, :, None, :, None]
        np.divide(share, self.size**2, out=self._squares(dx))
        return dx


KINDS.update({kind.__name__: kind for kind in (Conv2d, AveragePool2d)})
