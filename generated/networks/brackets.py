"""masked_gru (2 -> 6), masked_gru (2 -> 6), dense (12 -> 2) in NumPy.

    from brackets import predict
    y = predict(x)          # x (batch, time)  ->  y (batch, time, 2)

Made by symgru 0.1.0 from templates/numpy/module.py.j2.
Model SHA-256 a378e8a6ce575c0433039f25fa64cc5f3a04622c625096ee8ed93a34eae51292.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def softmax(a):
    """e^a over its sum across the units; the largest is taken off first, so that nothing overflows."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def masked_gru(x, weights, mask, h=None, return_sequences=False):
    """Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).

    x        (batch, time, features)
    weights  as get_weights() gives them: kernel (features, 3 * units),
             recurrent_kernel (units, 3 * units),
             bias (2, 3 * units)
    mask     (batch, time): where it is false the state stays as it was
    h        (batch, units), the state before the first step; zeros where None

    Returns the last state (batch, units); with return_sequences all of them (batch, time, units).
    """
    kernel, recurrent_kernel, bias = weights
    W_z, W_r, W_n = np.split(kernel, 3, axis=1)
    U_z, U_r, U_n = np.split(recurrent_kernel, 3, axis=1)
    b_z, b_r, b_n = np.split(bias[0], 3)
    c_z, c_r, c_n = np.split(bias[1], 3)
    if h is None:
        h = np.zeros((len(x), len(recurrent_kernel)), dtype=x.dtype)
    states = []
    for t in range(x.shape[1]):
        x_t = x[:, t]
        z = sigmoid(x_t @ W_z + b_z + h @ U_z + c_z)
        r = sigmoid(x_t @ W_r + b_r + h @ U_r + c_r)
        n = np.tanh(x_t @ W_n + b_n + r * (h @ U_n + c_n))
        new = z * h + (1 - z) * n
        h = np.where(mask[:, t, None], new, h)
        states.append(h)
    return np.stack(states, axis=1) if return_sequences else h


def dense(x, weights):
    """Keras' Dense (keras/src/layers/core/dense.py).

    x        (..., features)
    weights  as get_weights() gives them: kernel (features, units),
             bias (units,)

    Returns (..., units).
    """
    kernel, bias = weights
    W = kernel
    b = bias
    return softmax(x @ W + b)


def predict(x, weights=None, states=None, return_states=False):
    """The model's output for a batch of inputs.

    x              (batch, time), whole numbers from 0 to 2
    weights        the model's get_weights(); WEIGHTS below where None
    states         one array (batch, units) for each recurrent layer, before the first step; zeros where None
    return_states  also return the states after the last step, which the next call takes as `states`

    Returns (batch, time, 2), or (that, states). Computed in the dtype of the weights (float32), as Keras does.
    """
    weights = [np.asarray(w) for w in (WEIGHTS if weights is None else weights)]
    x = np.asarray(x, dtype=np.int64)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"x has shape {x.shape}; expected (batch, time) with at least one time step")
    if x.size and not (0 <= x.min() and x.max() < 3):
        raise ValueError("x holds an index that is not from 0 to 2")
    h_forward_gru, h_backward_gru = (None, None) if states is None else states
    with np.errstate(over="ignore"):  # e^-a may overflow to inf, and 1 / inf is the 0 that is meant
        y_embedding = weights[0][x]
        mask = x != 0
        y = masked_gru(y_embedding, weights[1:4], mask, h_forward_gru, return_sequences=True)
        new_forward_gru = y[:, -1]
        y_blank_forward_gru = np.where(mask[..., None], y, 0)
        mask_2 = mask[:, ::-1]
        y = masked_gru(y_embedding[:, ::-1], weights[4:7], mask_2, h_backward_gru, return_sequences=True)
        new_backward_gru = y[:, -1]
        y_blank_backward_gru = np.where(mask_2[..., None], y, 0)
        y = np.concatenate([y_blank_forward_gru, y_blank_backward_gru[:, ::-1]], axis=2)
        y = dense(y, weights[7:9])
    return (y, [new_forward_gru, new_backward_gru]) if return_states else y


WEIGHTS = [
    # embedding: embeddings
    np.array([[0.015394632, 0.009940945],
              [1.48321, -1.6633533],
              [-0.14444485, 2.3752103]], dtype=np.float32),
    # forward_gru: kernel
    np.array([[0.5228699, 0.30225345, -0.2811911, 0.40351158, 0.10370301, -0.32861677, 0.005439566, -0.6488273,
               -0.66828775, -0.21184555, -0.7969497, -0.5261165, 0.091233395, 0.07364091, 0.769485,
               -0.26823133, 0.61852396, 0.21008842],
              [-0.42325538, -0.7532855, -0.47007406, 0.20307516, -0.29703385, -0.54774666, 0.8355631,
               0.9663755, 0.9680134, -0.5120765, 0.7281539, 0.47286692, 0.4729108, 0.70981467, -0.76442957,
               0.43018565, -0.74572796, 0.77300274]], dtype=np.float32),
    # forward_gru: recurrent_kernel
    np.array([[-1.4719753, -0.9436223, -1.2386869, 0.37122223, -0.8216546, -0.8242241, 0.012904947, -0.538898,
               -0.20049588, -0.36949962, 0.1492918, -0.17814606, 0.17062034, 0.48015875, -0.36202604, 0.645217,
               -0.06997278, 0.0038660993],
              [-0.80021787, -0.60581213, -0.72282493, -0.31266728, -1.0489619, -0.5350586, 0.09629966,
               -0.98050034, -0.74126893, -0.37394643, -0.6734944, -0.39464232, 0.45248088, 0.8094744,
               -1.2110201, 0.5074298, -0.7775603, 0.7512963],
              [1.5068244, 0.8225251, 0.5144377, -0.27034724, 0.22792368, 0.54506147, -0.12347037, 0.17569624,
               0.45828643, 0.26662755, 0.644804, 0.3417388, -0.08574722, -0.9689387, 0.86170346, -0.34345284,
               0.50116366, -0.51820475],
              [-1.2261664, -0.23905711, -1.1500505, -0.36980852, -0.37258548, -0.36154237, -0.42154488,
               -0.5173773, -0.6289557, -0.572529, -0.91153044, -0.59671617, 0.7649927, 0.6565023, -1.1457038,
               0.48122612, -0.83961886, 0.6083049],
              [1.4159663, -0.011427764, 0.9412268, -0.70294225, 0.7133365, 0.74893695, 0.31517467, 0.4529529,
               0.63938004, 0.61499685, 0.5090376, 0.41753042, -0.5141713, -1.3571942, 0.921046, -0.115532234,
               0.7950371, -0.69243944],
              [-1.4720625, -0.44075444, -1.4145925, 0.12944692, -0.7576351, -0.36169067, 0.33220232,
               -0.3847228, -0.4731381, -0.8172684, -0.12346662, -0.67716277, 0.773324, 0.79941684, -1.272513,
               0.7464259, -0.7972544, 1.0644896]], dtype=np.float32),
    # forward_gru: bias
    np.array([[-0.6491593, -0.788223, -0.8999086, 0.2321366, -0.9489106, -0.59944487, 0.10773988, 0.35701406,
               0.48765355, -0.013491615, 0.3589892, 0.32887483, 0.46335623, 0.15633523, -0.052227553,
               -0.0372182, -0.18562712, 0.21171245],
              [-0.64915925, -0.78822297, -0.8999086, 0.23213668, -0.94891083, -0.5994449, 0.10773978, 0.357014,
               0.4876535, -0.013491593, 0.35898936, 0.32887477, 0.47427896, 0.1956924, -0.0644539, -0.08134965,
               -0.16546862, 0.18977223]], dtype=np.float32),
    # backward_gru: kernel
    np.array([[-0.88123256, -1.0258881, -0.04992986, 0.1500767, 0.3182952, -0.27574843, 0.6313465, 0.9812474,
               0.43969584, 0.9061975, 0.11298008, 0.64028907, -0.67357045, -0.45432138, 0.9412991, -0.5942261,
               -0.7462166, 0.44008768],
              [-0.23359631, 0.19231352, 0.0346975, 0.42802173, -0.41572416, 0.406877, -0.7759053, -0.99241835,
               -0.5844476, -1.0920743, 0.89569944, -1.3786532, 0.56352246, 0.6173589, -1.0385537, 0.7141897,
               -0.11891052, 0.03664121]], dtype=np.float32),
    # backward_gru: recurrent_kernel
    np.array([[1.0982691, 0.8667838, 1.18802, 1.0631992, 0.7821654, 1.0789387, 0.86956775, 0.5600287,
               0.6279178, 0.14608729, 0.5499408, -0.27160433, 0.53528893, 1.0709392, -0.4057474, 1.0556655,
               0.44884577, -0.93651474],
              [0.688037, 0.8016536, 0.40768316, 0.54335064, 0.5806296, 0.86004555, 0.6297895, 0.19105555,
               0.33979124, 0.46404317, 0.09396524, -0.4246299, 0.87120616, 1.1325294, -0.74334675, 0.38837713,
               0.72142184, -0.66783315],
              [-1.2680736, -0.73348284, -0.40951893, -0.73840535, -0.35853022, -1.0927138, -0.53991485,
               -0.8108493, -0.3805126, -0.467034, -0.47517112, -0.07664168, -0.79118645, -0.9963993,
               0.25077748, -0.83535933, -1.1494447, 0.9716284],
              [0.63700515, 1.1558073, 0.5700893, 0.8189938, 0.47619805, 1.1015389, 0.8606629, 0.11988416,
               0.10271534, 0.69529086, 0.51005363, 0.3421405, 0.672092, 1.2626339, -0.10270425, 0.6117919,
               0.39796722, -1.291547],
              [0.87904644, 0.37020615, 1.0539764, 0.95460945, 0.15302609, 1.8752872, 0.72831714, 0.45613983,
               0.20213757, 0.63123995, 0.40201584, -0.3196116, 0.85985285, 0.8414038, -0.5531495, 1.3152882,
               0.766781, -0.16018741],
              [-0.5721574, -0.15177405, -0.18738976, -0.28396723, -0.35627735, 0.20500918, -0.3184149,
               -0.12994207, 0.25236169, 0.62595195, -0.18572612, -0.19999585, 0.086609185, 0.1789038,
               0.108424835, 0.4544737, -0.2099501, -0.4164305]], dtype=np.float32),
    # backward_gru: bias
    np.array([[-1.0239121, -0.9291385, -0.7685009, -1.0120211, -0.32199404, -0.8951186, 0.4439503, 0.069152884,
               -0.11603178, 0.12871186, 0.4140241, 0.024302127, -0.0711838, -0.11526163, 0.1280705,
               -0.034851637, -0.30756202, 0.55198854],
              [-1.0239122, -0.9291385, -0.76850104, -1.0120211, -0.32199404, -0.89511865, 0.44395036,
               0.06915289, -0.11603181, 0.12871182, 0.41402426, 0.024302114, -0.18978117, -0.18739517,
               0.20891634, -0.03418072, -0.30100942, 0.4977241]], dtype=np.float32),
    # has_partner: kernel
    np.array([[2.3018246, -2.2787623],
              [1.4809812, -2.1308198],
              [-2.0227787, 1.7924439],
              [-1.1651689, 0.37496892],
              [-0.93346, 1.6818991],
              [1.6825314, -1.2959188],
              [-1.8729059, 0.95088255],
              [-1.4923543, 1.8451269],
              [1.1215825, -1.8044842],
              [-1.1882541, 1.7891542],
              [0.71292406, 0.20342545],
              [2.6482937, -2.806058]], dtype=np.float32),
    # has_partner: bias
    np.array([0.8759329, -0.8759287], dtype=np.float32),
]
