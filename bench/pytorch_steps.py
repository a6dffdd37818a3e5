"""PyTorch's side of compare.py; it needs torch, transformers and peft.

    pytorch_steps.py make DIR SIZES   writes DIR/model and DIR/adapter: random weights, SIZES is a JSON object of
                                      dtype, layers, width, heads, vocabulary, positions and rank
    pytorch_steps.py steps            trains step by step; standard input and output as of StepWorker.java
"""

import itertools
import json
import pathlib
import sys
import warnings

import peft
import torch
import transformers

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def make(directory, sizes):
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=sizes["vocabulary"],
        n_positions=sizes["positions"],
        n_embd=sizes["width"],
        n_layer=sizes["layers"],
        n_head=sizes["heads"],
        bos_token_id=0,
        eos_token_id=0,
        attn_pdrop=0.0,
        embd_pdrop=0.0,
        resid_pdrop=0.0,
    )
    model = transformers.GPT2LMHeadModel(config).to(DTYPES[sizes["dtype"]])
    model.save_pretrained(directory / "model")
    lora = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=sizes["rank"],
        lora_alpha=2 * sizes["rank"],
        target_modules=["c_attn"],
        fan_in_fan_out=True,
        init_lora_weights=False,  # B is not zero: the adapter counts from the first step on
    )
    peft.get_peft_model(model, lora).save_pretrained(directory / "adapter")


def batches(settings):
    lines = pathlib.Path(settings["rows"]).read_text().splitlines()
    rows = [json.loads(line)["input_ids"] for line in lines]
    size = settings["batch"]
    return itertools.cycle([rows[i : i + size] for i in range(0, len(rows), size)])


def answer(**fields):
    print(json.dumps(fields), flush=True)


def steps(settings):
    torch.set_num_threads(settings["threads"])
    base = transformers.AutoModelForCausalLM.from_pretrained(
        settings["model"], dtype=DTYPES[settings["dtype"]]
    )
    model = peft.PeftModel.from_pretrained(base, settings["adapter"], is_trainable=True)
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings["learningRate"], fused=True)
    answer(
        library=f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}",
        trained=sum(p.numel() for p in parameters),
    )
    for rows in batches(settings):
        if not sys.stdin.readline():
            return
        ids = torch.tensor(rows)
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings["maxGradNorm"])
        optimizer.step()
        optimizer.zero_grad()
        answer(loss=loss.item(), divergence=0.0)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    if sys.argv[1] == "make":
        make(pathlib.Path(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        steps(json.loads(sys.stdin.readline()))
