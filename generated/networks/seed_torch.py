"""seed in PyTorch, for the weights in seed.pt.

Made by symgru 0.1.0 from templates/python/torch_module.py.j2.
Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 1, batch_first=True)

    def forward(self, x):
        gru, gru_last = self.gru(x)
        return gru_last[0]


def load(path="seed.pt"):
    """The network in evaluation mode, with its weights."""
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, weights_only=True)
    net = Net()
    net.load_state_dict(state)
    return net.eval()
