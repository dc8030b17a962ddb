"""A slider of a live figure, moved as a reader would; what the kernel was asked, and what it drew.

Nothing here waits for a time to pass. A move is answered when the frame changes. It stays without
an answer when the kernel has dealt with all that it was asked and the page has been drawn many
times since with nothing new in it, however long that takes on a busy machine.
"""

from typing import NamedTuple

from playwright.sync_api import ElementHandle, Page

CALM = 6  # drawings of the page with nothing new, after which a figure is at rest
DEAD = 120  # and after which it will not answer any more
PLACES = ("now", "min", "max")

# Counts what is sent to the kernel, and knows for what it has not reported back yet.
TRAFFIC = """() => {
  if (window.traffic) return;
  const traffic = (window.traffic = { asked: 0, pending: new Set() });
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.anyMessage.connect((_, { msg, direction }) => {
    if (direction === "send" && msg.header.msg_type === "comm_msg") {
      traffic.asked += 1;
      traffic.pending.add(msg.header.msg_id);
    } else if (msg.header.msg_type === "status" && msg.content.execution_state === "idle")
      traffic.pending.delete(msg.parent_header.msg_id);
  });
}"""

# When was the last move, when did the frame (picture or caption) change after it, and to what?
# Two neighbouring frames may well have the same picture, but then their captions differ.
WATCH = """(slider) => {
  let box = slider;
  while (!box.querySelector("figure.explorer")) box = box.parentElement;
  const look = () => ({
    picture: box.querySelector("figure.explorer svg")?.innerHTML,
    caption: box.querySelector("figure.explorer figcaption")?.textContent,
  });
  const working = () => box.textContent.includes("Drawing");
  const key = ({ picture, caption }) => picture + caption;
  const watch = { look, working, moved: 0, changed: 0, calm: 0, worked: false, error: "" };
  watch.forget = () => {
    watch.pictures = new Set([look().picture]);
    watch.captions = new Set([look().caption]);
    watch.worked = false;
  };
  watch.forget();
  const move = () => {
    watch.moved = performance.now();
    watch.calm = 0;
  };
  for (const kind of ["pointermove", "pointerup", "keydown"])
    document.addEventListener(kind, move, true);
  let last = key(look());
  new MutationObserver(() => {
    watch.worked ||= working();
    watch.error ||= box.querySelector(".explorer-error")?.textContent ?? "";
    const now = look();
    if (!now.picture || key(now) === last) return;
    watch.changed = performance.now();
    watch.calm = 0;
    watch.pictures.add(now.picture);
    watch.captions.add(now.caption);
    last = key(now);
  }).observe(box, { childList: true, subtree: true, characterData: true });
  // Called at each drawing of the page, and only while somebody waits: it reads the whole figure.
  watch.count = () => (watch.calm = traffic.pending.size || working() ? 0 : watch.calm + 1);
  return watch;
}"""


class Drag(NamedTuple):
    """Whether a figure followed the held handle, and how soon it did on the slow way back."""

    follows: bool
    answers: list[float | None]


class Slider:
    """An ipywidgets slider of a live figure; times in milliseconds, from a move to its frame."""

    def __init__(self, page: Page, element: ElementHandle) -> None:
        self.page, self.element = page, element
        self.handle = element.query_selector(".noUi-handle")
        page.evaluate(TRAFFIC)
        self.watch = element.evaluate_handle(WATCH)

    @property
    def name(self) -> str:
        """What stands before the slider."""
        return self.element.query_selector(".widget-label").text_content()

    def look(self) -> dict[str, str]:
        """The `picture` and its `caption` as they are now."""
        return self.watch.evaluate("(watch) => watch.look()")

    def seen(self, what: str) -> int:
        """How many different `pictures` or `captions` there were since the last drag began."""
        return self.watch.evaluate("(watch, what) => watch[what].size", what)

    def worked(self) -> bool:
        """Whether the figure has said, since the last drag began, that it is drawing."""
        return self.watch.evaluate("(watch) => watch.worked")

    def error(self) -> str:
        """What the figure has said of a failure, at any time."""
        return self.watch.evaluate("(watch) => watch.error")

    def asked(self) -> int:
        """How often a control of this page has asked the kernel for something."""
        return self.page.evaluate("traffic.asked")

    def answer(self) -> float | None:
        """The time from the last move to the first frame after it; None if none comes."""
        time = self.page.wait_for_function(
            "([watch, dead]) => watch.changed > watch.moved ? [watch.changed - watch.moved]"
            " : watch.count() > dead && [null]",
            arg=[self.watch, DEAD],
        ).json_value()[0]
        self.settle()
        return time

    def settle(self) -> None:
        """Wait until the kernel has answered everything, and the answers are on the page."""
        self.page.wait_for_function(
            "([watch, calm]) => watch.count() > calm", arg=[self.watch, CALM]
        )

    def places(self) -> list[float]:
        """Where the handle is, and the ends of its track."""
        return [float(self.handle.get_attribute(f"aria-value{name}")) for name in PLACES]

    def keys_away(self) -> tuple[str, str]:
        """The arrow away from the nearer end of the track, and the key to the farther end."""
        now, low, high = self.places()
        return ("ArrowLeft", "Home") if now > (low + high) / 2 else ("ArrowRight", "End")

    def press(self, key: str) -> float | None:
        """Press a key on the handle."""
        self.handle.focus()
        self.page.keyboard.press(key)
        return self.answer()

    def grab(self) -> tuple[float, float]:
        """Press the mouse on the handle, and say where it is."""
        for _ in range(10):  # cells that come into view for the first time push others about
            self.handle.hover()
            box = self.handle.bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            if "noUi-active" in self.handle.get_attribute("class"):
                return x, y
            self.page.mouse.up()
        raise RuntimeError(f"the handle of {self.name} cannot be grabbed")

    def drag(self, well: bool) -> Drag:
        """Take the handle to the farther end; if `well`, slowly some way back; and let go."""
        x, y = self.grab()
        self.settle()
        self.watch.evaluate("(watch) => watch.forget()")
        track = self.element.query_selector(".noUi-base").bounding_box()
        left, right = track["x"], track["x"] + track["width"]
        end = right if x < (left + right) / 2 else left
        before, asked, mouse = self.look(), self.asked(), self.page.mouse
        mouse.move(end, y, steps=8 if well else 2)
        self.settle()
        follows, answers = self.asked() > asked and self.look() != before, []
        for part in (1, 2, 3, 4) if follows and well else ():
            former, asked = self.places(), self.asked()
            mouse.move(end + (x - end) * part / 12, y)
            if self.places() == former:
                continue  # it stands on the same of a few values
            answers.append(self.answer())
            if answers[-1] is None and self.asked() == asked:  # it was slow, and waits from now on
                answers.pop()
                follows = False
                break
        mouse.up()
        if not follows:
            self.answer()
        self.settle()
        return Drag(follows, answers)
