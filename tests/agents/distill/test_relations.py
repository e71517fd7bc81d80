"""The loss over relations of tokens: its gradient, what it is blind to, and what it sees."""

from __future__ import annotations

from typing import Any

import pytest
from hoptrace.agents.distill.relations import TokenRelationLoss, pooled
from hoptrace.kg.errors import InputError

torch = pytest.importorskip("torch")


def states(n: int, d: int, seed: int) -> Any:
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


GROUPS = torch.tensor([0, 0, 0, 1, 1, 1, 1, 2, 2, 2])


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_the_loss(seed: int) -> None:
    student, teacher = states(10, 5, seed).requires_grad_(), states(10, 7, seed + 10)
    loss = TokenRelationLoss(k=3, tau=0.5)
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher, GROUPS), (student,))


@pytest.mark.parametrize("seed", range(3))
def test_turning_and_scaling_the_teachers_space_changes_nothing(seed: int) -> None:
    student, teacher = states(10, 5, seed), states(10, 7, seed + 10)
    turn, _ = torch.linalg.qr(states(7, 7, seed + 20))
    loss = TokenRelationLoss(k=3)
    assert torch.allclose(loss(student, teacher, GROUPS), loss(student, 3 * teacher @ turn, GROUPS))


def test_the_same_relations_cost_nothing_and_others_do() -> None:
    teacher = states(10, 7, 1)
    turn, _ = torch.linalg.qr(states(7, 7, 2))
    loss = TokenRelationLoss()
    assert loss(teacher @ turn, teacher, GROUPS).item() == pytest.approx(0, abs=1e-9)
    assert loss(states(10, 7, 3), teacher, GROUPS).item() > 0.1


def test_each_part_is_felt() -> None:
    student, teacher = states(10, 5, 4), states(10, 7, 5)
    contextual = TokenRelationLoss(alpha=1, beta=0)(student, teacher, GROUPS).item()
    spread = TokenRelationLoss(alpha=0, beta=0.5)(student, teacher, GROUPS).item()
    assert TokenRelationLoss()(student, teacher, GROUPS).item() == pytest.approx(contextual + spread)
    alone = torch.arange(10)
    assert TokenRelationLoss(alpha=1, beta=0)(student, teacher, alone).item() == 0
    assert TokenRelationLoss()(student[:2], teacher[:2], GROUPS[:2]).item() == 0


def test_no_gradient_goes_to_the_teacher() -> None:
    student, teacher = states(10, 5, 6).requires_grad_(), states(10, 7, 7).requires_grad_()
    TokenRelationLoss()(student, teacher, GROUPS).backward()
    assert student.grad is not None
    assert teacher.grad is None


def test_descending_it_brings_a_narrower_student_to_the_teachers_relations() -> None:
    student, teacher = states(10, 5, 8).requires_grad_(), states(10, 7, 9)
    loss, optimizer = TokenRelationLoss(), torch.optim.Adam([student], lr=0.05)
    before = loss(student, teacher, GROUPS).item()
    for _ in range(100):
        optimizer.zero_grad()
        value = loss(student, teacher, GROUPS)
        value.backward()
        optimizer.step()
    assert value.item() < 0.3 * before


def test_tokens_are_pooled_to_their_words() -> None:
    found = pooled(torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0], [9.0, 9.0]]), torch.tensor([0, 0, 2, -1]), 3)
    assert found.tolist() == [[2.0, 1.0], [0.0, 0.0], [5.0, 5.0]]


@pytest.mark.parametrize("bad", [{"k": 0}, {"tau": 0.0}])
def test_settings_that_are_none_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        TokenRelationLoss(**bad)  # type: ignore[arg-type]
