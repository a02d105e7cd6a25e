"""The cells, as a textbook prints them. Everything else in symgru is a rendering of this page.

x is this step's input and h the state before the step; h1 is the state after it. `*` is the element-wise
product, `W @ x` the matrix product. z is the update gate, r the reset gate, n the candidate.
"""

from __future__ import annotations

from typing import Any

from sympy import evaluate, tanh

from symgru.activations import activation
from symgru.algebra import matrices, sigma, vectors
from symgru.cell import cell_of_page, h, h1, x
from symgru.pointwise import phi

# fmt: off
z, r, n, f, y = vectors("z r n f y")
bz, br, bn, bf, b, cz, cr, cn = vectors("b_z b_r b_n b_f b c_z c_r c_n")
Wz, Wr, Wn, Wf, W, Uz, Ur, Un, Uf, U = matrices("W_z W_r W_n W_f W U_z U_r U_n U_f U")
relu = activation("relu")

with evaluate(False):  # keep the order a person wrote
    keep = h1, z * h + (1 - z) * n  # z says how much of the state is kept
    new = h1, (1 - z) * h + z * n   # z says how much of it is new
    update = z, sigma(Wz @ x + Uz @ h + bz)
    reset = r, sigma(Wr @ x + Ur @ h + br)
    before = n, tanh(Wn @ x + Un @ (r * h) + bn)  # the reset gate acts before the product with U_n
    # two bias rows: b on the input's side, c on the state's; the reset gate acts after the product
    after = (
        (z, sigma(Wz @ x + bz + Uz @ h + cz)),
        (r, sigma(Wr @ x + br + Ur @ h + cr)),
        (n, tanh(Wn @ x + bn + r * (Un @ h + cn))))
    # one gate does both: it resets, and says how much of the state is new
    minimal = (
        (n, tanh(Wn @ x + Un @ (f * h) + bn)),
        (h1, (1 - f) * h + f * n))

    EQUATIONS: dict[str, tuple[Any, ...]] = {
        "gru": ("GRU", "Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py)",
                *after, keep),
        "gru_new": ("GRU, update rule exchanged", "as gru, with the update rule of Chung et al. 2014 (arXiv:1412.3555)",
                    *after, new),
        # one bias row; the reset gate acts on the state before the product
        "gru_before": ("GRU (reset before the product)",
                       "Keras' GRU, reset_after=False; Cho et al. 2014 (arXiv:1406.1078) with biases",
                       (z, sigma(Wz @ x + bz + Uz @ h)),
                       (r, sigma(Wr @ x + br + Ur @ h)),
                       (n, tanh(Wn @ x + bn + Un @ (r * h))),
                       keep),
        "cho": ("GRU of Cho et al. 2014", "Cho et al. 2014 (arXiv:1406.1078v3), equations 5 to 8, without biases",
                (z, sigma(Wz @ x + Uz @ h)),
                (r, sigma(Wr @ x + Ur @ h)),
                (n, tanh(Wn @ x + Un @ (r * h))),
                keep),
        "fully_gated": ("Fully gated unit",
                        "Wikipedia, Gated recurrent unit; Chung et al. 2014 (arXiv:1412.3555) with biases",
                        update, reset, before, new),
        # the gates see less and less: no input, no bias either, and in the end nothing but a bias
        "type1": ("Gated unit, type 1", "Wikipedia, Gated recurrent unit; GRU1 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(Uz @ h + bz)),
                  (r, sigma(Ur @ h + br)),
                  before, new),
        "type2": ("Gated unit, type 2", "Wikipedia, Gated recurrent unit; GRU2 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(Uz @ h)),
                  (r, sigma(Ur @ h)),
                  before, new),
        "type3": ("Gated unit, type 3", "Wikipedia, Gated recurrent unit; GRU3 in Dey, Salem 2017 (arXiv:1701.05923)",
                  (z, sigma(bz)),
                  (r, sigma(br)),
                  before, new),
        "mgu": ("Minimal gated unit", "Zhou et al. 2016 (arXiv:1603.09420)",
                (f, sigma(Wf @ x + Uf @ h + bf)),
                *minimal),
        "mgu1": ("Minimal gated unit 1", "Heck and Salem 2017 (arXiv:1701.03452): the gate without the input",
                 (f, sigma(Uf @ h + bf)),
                 *minimal),
        "mgu2": ("Minimal gated unit 2", "Heck and Salem 2017 (arXiv:1701.03452): the gate without input and bias",
                 (f, sigma(Uf @ h)),
                 *minimal),
        "mgu3": ("Minimal gated unit 3", "Heck and Salem 2017 (arXiv:1701.03452): the gate is its bias alone",
                 (f, sigma(bf)),
                 *minimal),
        "mgu_after": ("Minimal gated unit (reset after the product)", "Flax' MGUCell (flax/linen/recurrent.py)",
                      (f, sigma(Wf @ x + bf + Uf @ h)),
                      (n, tanh(Wn @ x + bn + f * (Un @ h + cn))),
                      (h1, (1 - f) * n + f * h)),
        # no reset gate; trained with batch normalisation of W x, which is part of W and b afterwards
        "ligru": ("Light GRU", "Li-GRU; Ravanelli et al. 2018 (arXiv:1803.10225); SpeechBrain's LiGRU",
                  (z, sigma(Wz @ x + bz + Uz @ h)),
                  (n, relu(Wn @ x + bn + Un @ h)),
                  keep),
        "simple": ("Simple recurrent unit",
                   "Keras' SimpleRNN (keras/src/layers/rnn/simple_rnn.py); the architecture of Elman 1990",
                   (h1, tanh(W @ x + b + U @ h))),
        "dense": ("Dense layer", "Keras' Dense (keras/src/layers/core/dense.py)",
                  (y, phi(W @ x + b))),
    }
# fmt: on

CELLS = {name: cell_of_page(name, EQUATIONS) for name in EQUATIONS}
