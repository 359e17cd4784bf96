"""Words whose letters and marks are written as several characters are the same words."""

from __future__ import annotations

import unicodedata
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.file.composed import compose, place_in
from kiro_swarm.tasks.file.edit import tick
from kiro_swarm.tasks.file.parser import parse
from tests.support.pace import in_proportion
from tests.support.sizes import sized

#: Names and words of each language that has such letters, where they are looked for.
PLAN = """\
# Kế hoạch

## Giai đoạn 1: Ăn

- [ ] 1. Tệp « café »
  - _Phụ thuộc vào: không_
  - _Files: docs/café.md, không_
  - _Boundary: Übersicht, Ästhetik_
- [x] 2. Đợi

## 第二フェーズ: Étape 2

- [ ] 3. Größe ガ
  - _Abhängigkeiten: 2_
  - **Acceptance criteria:** être prêt
- [ ] 4. Сделать ещё йод
  - _Dépendances : 1, 3_
- [ ] 5. 의존성
  - _선행 작업: 2_
  - (_Phụ thuộc: 1_)
- [ ] Tâche 6. Fin
  - _Depends: 5_
  - nhiệm vụ này chỉ bắt đầu sau khi nhiệm vụ 4 hoàn thành
  - dépend de la tâche 3
- [ ] Aufgabe 7. Schön

## Ghi chú

Giai đoạn 2 phụ thuộc vào giai đoạn 1
"""
letters = st.text(
    st.sampled_from("aeủứệéàñガパ의한й1. -[]_*:>\t" + "\u0301\u0323\u3099\u11a8\u0338"),
    max_size=40,
)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_a_plan_is_the_same_plan_however_its_letters_are_written() -> None:
    one, two = parse(PLAN), parse(nfd(PLAN))
    assert {t.id: t.dependencies for t in one.tasks}["4"] == ("1", "3")
    assert len(one.diagnostics) > 3
    assert [(t.id, t.waits_for, t.state) for t in one.tasks] == [
        (t.id, t.waits_for, t.state) for t in two.tasks
    ]
    assert [(d.code, d.line, d.message) for d in one.diagnostics] == [
        (d.code, d.line, d.message) for d in two.diagnostics
    ]


def test_what_is_shown_is_as_it_is_written() -> None:
    for made, other in zip(parse(PLAN).tasks, parse(nfd(PLAN)).tasks):
        assert other.title == nfd(made.title)
        assert other.description == nfd(made.description)
        assert other.files == tuple(map(nfd, made.files))
        assert other.boundary == tuple(map(nfd, made.boundary))
        assert other.acceptance_criteria == tuple(map(nfd, made.acceptance_criteria))


def test_a_remark_is_at_its_place_in_the_file() -> None:
    for text in (PLAN, nfd(PLAN)):
        (told,) = [d for d in parse(text).diagnostics if d.code == "unread-field"]
        line = text.split("\n")[told.line - 1]
        assert line[told.column - 1 :].startswith(("_Phụ", nfd("_Phụ")))


def test_a_comment_is_told_at_its_place_too() -> None:
    text = nfd("- [ ] 1. Mở\n- [ ] 2. B\n<!-- _Mở_ _Phụ thuộc: 1_ -->\n")
    (told,) = [d for d in parse(text).diagnostics if d.code == "comment-field"]
    line = text.split("\n")[told.line - 1]
    assert line[told.column - 1 :].startswith(nfd("_Phụ"))


def test_a_tick_is_written_where_the_box_is() -> None:
    text = nfd('é\n- [ ] 1. Mở\n<!-- @task id="A-1" title="Mở" status="open" -->\n')
    ticked = tick(text.encode(), "A-1").decode()
    assert ticked == text.replace('"open"', '"done"')
    assert tick(text.encode(), "1").decode() == text.replace("[ ]", "[x]")


def test_the_steps_of_a_task_are_known_however_they_are_written() -> None:
    plan = "- [ ] 1. A\n  - Étape 1: x\n  - après l'étape 2\n- [ ] 2. B\n"
    assert len(parse(plan).diagnostics) == len(parse(nfd(plan)).diagnostics)


@given(letters)
def test_every_place_of_a_composed_text_is_one_of_the_text(text: str) -> None:
    found = compose(text)
    places = [place_in(found.cuts, at) for at in range(len(found.text) + 1)]
    assert places[0] == 0
    assert places[-1] == len(text)
    for at, letter in enumerate(found.text):
        written = text[places[at] : places[at + 1]]
        if not unicodedata.combining(letter):
            assert nfd(written)[:1] == nfd(letter)[:1]


@given(letters)
def test_places_in_a_file_of_such_letters_are_there(text: str) -> None:
    whole = f"- [ ] 1. {text}\n  - _Depends: {text}_\n  - {text} (_Depends: 2_)\n"
    lines = whole.split("\n")
    for remark in parse(whole).diagnostics:
        assert 1 <= remark.column <= len(lines[remark.line - 1]) + 1


MARKS: dict[str, Callable[[int], str]] = {
    "one letter": lambda n: "a" + "\u0315\u0300" * (n // 2),
    "letters": lambda n: "a\u0301\u0323" * (n // 3),
    "syllables": lambda n: "\u1100\u1161\u11a8" * (n // 3),
    "fields": lambda n: nfd("\n  - _Phụ thuộc: ") * (n // 19),
}


@pytest.mark.parametrize("kind", list(MARKS))
def test_marks_cost_what_they_are_long(kind: str) -> None:
    def made(count: int) -> str:
        return "- [ ] 1. " + MARKS[kind](count)

    in_proportion(made, parse, sized(2**15, 2**18))
