"""The seed's numbers as they were measured in NumPy and Keras before symgru was written."""

from decimal import Decimal

from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.rounding import round_digits, ulps
from symgru.trace import exact, run
from symgru.verify.emitted import compiled, run_numpy

STEPS = {  # z, r, n, h of the four steps, from the weights as typed
    "z": ["0.2870936963", "0.1386357464", "0.0002725744", "0.0006269111"],
    "r": ["0.7393364308", "0.8866388778", "0.9999088559", "0.9996568296"],
    "n": ["-0.0440205524", "-0.0980038037", "-0.4045241843", "-0.4628319878"],
    "h1": ["-0.0313825293", "-0.0887677136", "-0.4044381171", "-0.4627953800"],
}


def test_the_four_steps(seed_network, seed_input):
    columns = run(seed_network, seed_input, Decimals(40, typed=True)).traces[0].columns
    for name, expected in STEPS.items():
        assert [str(round_digits(v, 10)) for v in columns[name].ravel()] == expected


def test_the_last_state(seed_network, seed_input):
    assert abs(run(seed_network, seed_input, Float64()).y[0, 0] + 0.46279538681734) < 1e-14
    assert abs(exact(seed_network, seed_input, typed=True)[0, 0] + Decimal("0.46279537999927")) < Decimal("1e-14")
    assert abs(exact(seed_network, seed_input)[0, 0] + Decimal("0.46279538681734")) < Decimal("1e-14")


def test_emitted_code_is_within_two_ulps(seed_network, seed_input):
    truth = exact(seed_network, seed_input)[0, 0]
    program = compiled(seed_network)
    for y in (
        run_numpy(seed_network, seed_input.value)[0, 0],
        program.window(seed_input.value)[0, 0],
        program.stream(seed_input.value)[0, -1, 0],
    ):
        assert ulps(Decimal(float(y)), truth) <= 2
