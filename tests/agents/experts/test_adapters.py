"""Adapters in torch: nothing changes before training, and only what should changes by it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hoptrace.agents.experts.adapters import (
    add_loramoe,
    checksum,
    kasa_penalty,
    localized_balance_loss,
    loramoe_linear,
    make_adapter,
)
from hoptrace.agents.experts.slices import add_slices, warm_router
from hoptrace.kg.errors import InputError

torch = pytest.importorskip("torch")


class Feed(torch.nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up = torch.nn.Linear(6, 12, bias=False), torch.nn.Linear(6, 12, bias=False)
        self.down = torch.nn.Linear(12, 6, bias=False)

    def forward(self, x: Any) -> Any:
        return self.down(torch.nn.functional.silu(self.gate(x)) * self.up(x))


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(Feed(), Feed())


X = torch.arange(60.0).view(2, 5, 6) / 60


def test_a_routed_layer_is_the_frozen_one_to_begin_with(model: Any) -> None:
    before = model(X)
    layers = add_loramoe(model, n=4, r=2)
    assert len(layers) == 6
    assert torch.equal(model(X), before)


def test_a_routed_layer_is_the_sum_of_its_parts() -> None:
    torch.manual_seed(1)
    base = torch.nn.Linear(6, 4)
    layer = loramoe_linear(base, n=3, r=2)
    torch.nn.init.normal_(layer.b)
    shares = layer.router(X).softmax(-1)
    slow = base(X) + 16 * sum(shares[..., i : i + 1] * (X @ layer.a[i].T @ layer.b[i].T) for i in range(3))
    assert torch.allclose(layer(X), slow, atol=1e-5)


def test_training_leaves_the_frozen_weights_alone(model: Any) -> None:
    layers = add_loramoe(model, n=2, r=2)
    frozen = [layer.base.weight.clone() for layer in layers]
    trained = [p for p in model.parameters() if p.requires_grad]
    assert len(trained) == 3 * len(layers)
    optimiser = torch.optim.SGD(trained, lr=0.1)
    before = model(X).detach()
    model(X).square().mean().backward()
    optimiser.step()
    assert all(torch.equal(layer.base.weight, weight) for layer, weight in zip(layers, frozen, strict=True))
    assert not torch.equal(model(X), before)


def test_balance_is_the_variation_of_weighed_mass(model: Any) -> None:
    layers = add_loramoe(model, n=2, r=1)
    for layer in layers:
        torch.nn.init.zeros_(layer.router.weight)  # half of the mass for each adapter
    model(X)
    loss = localized_balance_loss(layers, torch.tensor([False, True]), delta=0.1, weight=1.0)
    assert loss.item() == pytest.approx(0.01)  # weighed masses are 1.1 and .9 of the mean, twice
    assert localized_balance_loss(layers, torch.tensor([False, True]), delta=0.0).item() == pytest.approx(0)


def test_balance_before_any_call_is_an_error(model: Any) -> None:
    with pytest.raises(InputError, match="after a forward pass"):
        localized_balance_loss(add_loramoe(model), torch.tensor([True]))


def test_a_model_without_such_layers_is_an_error() -> None:
    with pytest.raises(InputError, match="no linear layer named"):
        add_loramoe(torch.nn.Sequential(torch.nn.Linear(2, 2)))
    with pytest.raises(InputError, match="could be split"):
        add_slices(torch.nn.Sequential(torch.nn.Linear(2, 2)), 2)


def test_all_slices_are_the_layer_to_the_bit_and_half_of_them_are_not(model: Any) -> None:
    before = model(X)
    layers = add_slices(model, 4)
    assert torch.equal(model(X), before)
    for layer in layers:
        layer.active = 2
    assert not torch.allclose(model(X), before)


def test_masked_slices_add_up_to_the_layer(model: Any) -> None:
    layer = add_slices(model, 2)[0]
    whole, layer.active = layer(X), 1
    torch.nn.init.zeros_(layer.router.weight)
    halves = []
    for sign in (1.0, -1.0):
        layer.router.weight.data[0], layer.router.weight.data[1] = sign, -sign
        halves.append(layer(X))
    assert torch.allclose(halves[0] + halves[1], whole, atol=1e-6)


def test_warming_up_trains_routers_alone_and_lowers_the_loss(model: Any) -> None:
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    target = model(X).detach()
    layers, before = add_slices(model, 4), copy.deepcopy(model.state_dict())

    def loss() -> Any:
        return (model(X) - target).square().mean()

    for layer in layers:
        layer.active = 2
    start = loss().item()
    warm_router(layers, loss, 60, 2)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.router.weight", "1.router.weight"}
    assert loss().item() < start


def test_the_guard_sees_that_kasa_altered_the_base_and_that_lora_did_not(model: Any) -> None:
    pytest.importorskip("peft")
    whole = checksum(model)
    assert checksum(make_adapter(copy.deepcopy(model), "lora", 2)) == whole
    altered = make_adapter(copy.deepcopy(model), "kasa", 2)
    assert checksum(altered) != whole
    assert kasa_penalty(altered).item() > 0


def test_an_adapter_of_another_kind_names_those_there_are(model: Any) -> None:
    with pytest.raises(InputError, match="accepted: lora, kasa"):
        make_adapter(model, "dora")  # type: ignore[arg-type]
