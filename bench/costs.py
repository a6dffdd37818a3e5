"""What work must cost: floating-point operations and bytes, and what part of the machine's rates was reached.

Sizes are those of compare.py; a cost is (flops, bytes, dtype). A product of M x K by K x N is 2 M K N operations. Attention
counts half of its square: what the causal mask leaves. Tokens of the head are those with a next one.
"""

BYTES = {"f32": 4, "bf16": 2}


def linears(sizes):
    """(inputs, outputs) of a layer's linear layers, by name."""
    c, f = sizes["width"], sizes["inner"]
    if sizes["type"] == "gpt2":
        return {"c_attn": (c, 3 * c), "c_proj": (c, c), "c_fc": (c, f), "mlp.c_proj": (f, c)}
    attention = {name: (c, c) for name in ("q_proj", "k_proj", "v_proj", "o_proj")}
    return attention | {"gate_proj": (c, f), "up_proj": (c, f), "down_proj": (f, c)}


def first_linears(sizes):
    """Those that read the first layer's input, which needs no gradient."""
    return ("c_attn",) if sizes["type"] == "gpt2" else ("q_proj", "k_proj", "v_proj")


def matrices(sizes):
    """Elements of the linear layers' weights."""
    return sizes["layers"] * sum(i * o for i, o in linears(sizes).values())


def head(sizes):
    return sizes["vocabulary"] * sizes["width"]


def branches(sizes):
    """(inputs, outputs) of a layer's adapted linear layers."""
    targets = sizes["targets"]
    return [shape for name, shape in linears(sizes).items() if targets == "all" or name in targets]


def parts(sizes, batch, length, trained=False):
    """Operations of a training step by part: (forward, backward)."""
    tokens = batch * length
    inputs = sum(i * o for name, (i, o) in linears(sizes).items() if name in first_linears(sizes))
    through = 2 * tokens * (matrices(sizes) - (0 if trained else inputs))
    weights = 2 * tokens * matrices(sizes) if trained else 0
    attention = 2 * tokens * (length / 2) * sizes["width"] * sizes["layers"]
    logits = 2 * batch * (length - 1) * head(sizes)
    lora = 2 * tokens * sizes["rank"] * sizes["layers"] * sum(i + o for i, o in branches(sizes))
    return {
        "linear": (2 * tokens * matrices(sizes), through + weights),
        "attention": (2 * attention, 4 * attention),
        "head": (logits, logits * (2 if trained else 1)),
        "lora": (0, 0) if trained else (lora, 2 * lora),
    }


def lora_step(sizes, batch, length, dtype):
    return sum(sum(pair) for pair in parts(sizes, batch, length).values()), 0, dtype


def full_step(sizes, batch, length, dtype):
    return sum(sum(pair) for pair in parts(sizes, batch, length, trained=True).values()), 0, dtype


def forward(sizes, batch, length, dtype):
    return sum(pair[0] for pair in parts(sizes, batch, length).values()), 0, dtype


def prefill(sizes, length, dtype):
    by = parts(sizes, 1, length)
    return by["linear"][0] + by["attention"][0] + 2 * head(sizes), 0, dtype


def decoding(sizes, prompt, new, dtype):
    """Each token reads all matrices and the keys and values before it."""
    weights = (matrices(sizes) + head(sizes)) * new
    cache = 2 * sizes["width"] * sizes["layers"] * sum(range(prompt, prompt + new))
    return 0, (weights + cache) * BYTES[dtype], dtype


def limit(cost, rates):
    """The least seconds that a cost takes, and what bounds it."""
    flops, size, dtype = cost
    return max((flops / rates[dtype], "products"), (size / rates["read"], "reading"))


def share(cost, seconds, rates):
    """The part of the machine's limit that was reached, and which limit that is."""
    if not cost:
        return None
    least, bound = limit(cost, rates)
    return {"share": least / seconds, "bound": bound}


# --- the profile of a step: lines of StepProfile.java's operations


def lines_of(sizes, batch, length, dtype):
    """(label, operations that begin so, flops, bytes). Bytes are activations read and written once."""
    tokens, c, layers, size = batch * length, sizes["width"], sizes["layers"], BYTES[dtype]
    by = parts(sizes, batch, length)
    plane = tokens * c * size  # one activation
    inner = tokens * sizes["inner"] * size
    branch = sum(i + 2 * o for i, o in branches(sizes)) * tokens * size * layers
    gpt2 = sizes["type"] == "gpt2"
    planes = 2 if gpt2 else 3  # of the activation function: in and out, or gate, up and out
    return [
        ("linear layers, forward", ("forward Linear.",), by["linear"][0], 0),
        ("linear layers, backward", ("backward Linear.",), by["linear"][1], 0),
        ("head and cross-entropy, both ways", ("forward Loss.", "backward Loss."), sum(by["head"]), 0),
        ("attention, forward", ("forward Attention.",), by["attention"][0], 4 * plane * layers),
        ("attention, backward", ("backward Attention.",), by["attention"][1], 7 * plane * layers),
        ("LoRA branches, forward", ("forward Linear$Branch",), by["lora"][0], branch),
        ("LoRA branches, backward", ("backward Linear$Branch",), by["lora"][1], 2 * branch),
        ("activation function, forward", ("forward Elementwise.gelu", "forward Elementwise.swiglu"), 0, planes * inner * layers),
        ("activation function, backward", ("backward Elementwise.",), 0, (2 * planes - 1) * inner * layers),
        ("norms, forward", ("forward Norm.",), 0, 2 * plane * (2 * layers + 1)),
        ("norms, backward", ("backward Norm.",), 0, 3 * plane * (2 * layers + 1)),
        ("residual sums", ("forward Elementwise.add",), 0, 3 * plane * 2 * layers),
        ("rotary positions", ("forward Embed.rope", "backward Embed."), 0, 0 if gpt2 else 8 * plane * layers),
        ("gradients that meet, joined", ("backward none", "backward Layout."), 0, (3 if gpt2 else 5) * 3 * plane * layers),
        ("optimizer and clipping", ("forward AdamW.", "forward Clip."), 0, 0),
    ]


def profile(samples, seconds, sizes, batch, length, dtype):
    """Lines of the step's time, each with its cost; the last is what no line claims."""
    total = sum(samples.values())
    left = dict(samples)
    lines = []
    for label, beginnings, flops, size in lines_of(sizes, batch, length, dtype):
        mine = [key for key in left if key.startswith(beginnings)]
        count = sum(left.pop(key) for key in mine)
        if count:
            lines.append({"part": label, "seconds": seconds * count / total, "cost": (flops, size, dtype)})
    lines.sort(key=lambda line: -line["seconds"])
    rest = sum(left.values())
    lines.append({"part": "other", "seconds": seconds * rest / total, "cost": (0, 0, dtype)})
    return lines
