from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.sinks.podlabels import LOOK, PATIENCE, PodLabels
from procwrap.spec.events import EventLabels
from tests.support.asking import Questions

FIXED = (("pod", "web-1"), ("team", "core"), ("team", "edge"))


class PodLabelsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions()
        self.warnings: list[str] = []
        self.path = Path(self.mktemp())
        self.path.write_text('app="web"\nhash="1"\n')
        self.looked = 0
        self.labels = self.make(str(self.path))

    def make(self, path: str | None) -> PodLabels:
        """The labels with a file."""
        target = EventLabels(FIXED, path, frozenset({"hash"}))
        made = PodLabels(target, self.clock, self.questions.ask, self.warnings.append)
        made.on_looked.append(self.count)
        return made

    def count(self) -> None:
        self.looked += 1

    def look(self) -> None:
        """Look, after the time in which nobody looks again."""
        self.clock.advance(LOOK)
        self.labels.look()
        self.questions.find_out()

    def test_without_a_file(self) -> None:
        """The fixed ones, of which the later counts; nothing is looked at."""
        labels = self.make(None)
        labels.look()
        self.assertEqual(labels.current, {"pod": "web-1", "team": "edge"})
        self.assertEqual((labels.looking, self.questions.open), (False, []))

    def test_those_of_the_file(self) -> None:
        """They come on top, and whoever waits is called."""
        self.labels.look()
        self.assertTrue(self.labels.looking)
        self.questions.find_out()
        self.assertEqual(self.labels.current, {"pod": "web-1", "team": "edge", "app": "web"})
        self.assertEqual((self.labels.looking, self.looked), (False, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_change_is_seen(self) -> None:
        """Also when the file was replaced, as the kubelet does it, or has the same size as before."""
        self.look()
        for text in ('app="api"\n', 'app="job"\n'):
            replacement = self.path.with_suffix(".new")
            replacement.write_text(text)
            os.replace(replacement, self.path)
            self.look()
            self.assertEqual(self.labels.current["app"], text[5:8])

    def test_looked_at_once_a_second(self) -> None:
        """However many events there are."""
        self.look()
        for _ in range(1000):
            self.labels.look()
        self.assertEqual(self.questions.open, [])

    def test_a_dead_file_system(self) -> None:
        """Events wait a fifth of a second, once, and the file is not asked for a second time."""
        self.labels.look()
        self.clock.advance(PATIENCE)
        self.assertEqual((self.labels.looking, self.looked), (False, 1))
        self.clock.advance(LOOK * 10)
        self.labels.look()
        self.assertEqual((self.labels.looking, len(self.questions.open)), (False, 1))
        self.questions.find_out()
        self.assertEqual(self.labels.current["app"], "web")
        self.assertEqual(self.looked, 1)

    def test_a_missing_file(self) -> None:
        """One warning; the last known labels stay, and when it is back it is read."""
        self.look()
        self.path.unlink()
        self.look()
        self.look()
        text = f"cannot read the labels of events in {self.path}: No such file or directory"
        self.assertEqual(self.warnings, [text])
        self.assertEqual(self.labels.current["app"], "web")
        self.path.write_text('app="back"')
        self.look()
        self.assertEqual(self.labels.current["app"], "back")
        self.path.unlink()
        self.look()
        self.assertEqual(len(self.warnings), 2)

    def test_what_is_no_file(self) -> None:
        """A directory is a warning, a FIFO without a writer holds nobody up."""
        for number, make in enumerate((os.mkdir, os.mkfifo)):
            path = f"{self.path}{number}"
            make(path)
            labels = self.make(path)
            labels.look()
            self.questions.find_out()
            self.assertEqual(labels.current, {"pod": "web-1", "team": "edge"})
        self.assertEqual(len(self.warnings), 1)
