"""Python's side of compare.py; it needs torch, transformers and peft, and trl and datasets for the engine `trl`.

    pytorch.py make DIR SIZES   writes DIR/model, DIR/adapter-1 and DIR/adapter-2: random weights; SIZES is a JSON object
    pytorch.py gguf MODEL FILE  writes a Llama for llama.cpp; needs gguf
    pytorch.py work             works unit by unit; standard input and output as of Worker.java

The settings have one name more than Worker.java's: `engine`, which is eager, compile or trl.
"""

import itertools
import json
import pathlib
import statistics
import sys
import time
import warnings

import torch

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def configuration(sizes):
    import transformers

    ends = {"bos_token_id": 0, "eos_token_id": 0, "vocab_size": sizes["vocabulary"]}
    if sizes["type"] == "gpt2":
        return transformers.GPT2Config(
            n_positions=sizes["positions"],
            n_embd=sizes["width"],
            n_layer=sizes["layers"],
            n_head=sizes["heads"],
            attn_pdrop=0.0,
            embd_pdrop=0.0,
            resid_pdrop=0.0,
            **ends,
        )
    return transformers.LlamaConfig(
        max_position_embeddings=sizes["positions"],
        hidden_size=sizes["width"],
        intermediate_size=sizes["inner"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes.get("keyHeads", sizes["heads"]),
        tie_word_embeddings=True,
        **ends,
    )


def make(directory, sizes):
    import peft
    import transformers

    torch.manual_seed(1)
    with torch.device(sizes.get("device", "cpu")):
        model = transformers.AutoModelForCausalLM.from_config(configuration(sizes)).to(DTYPES[sizes["dtype"]])
    model.save_pretrained(directory / "model")
    lora = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=sizes["rank"],
        lora_alpha=2 * sizes["rank"],
        target_modules=sizes["targets"],
        fan_in_fan_out=sizes["type"] == "gpt2",
        init_lora_weights=False,  # B is not zero: the adapter counts from the first step on
    )
    adapted = peft.get_peft_model(model, lora, adapter_name="adapter-1")
    adapted.add_adapter("adapter-2", lora)
    adapted.save_pretrained(directory)  # each adapter in a folder of its name


def write_gguf(directory, file):
    """The weights of a Llama; llama-bench needs no vocabulary, and rotary positions of another order cost the same."""
    import gguf
    import safetensors.torch

    config = json.loads((directory / "config.json").read_text())
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, tensor in safetensors.torch.load_file(directory / "model.safetensors").items():
        values = tensor.float().numpy()
        kind = gguf.GGMLQuantizationType.BF16 if tensor.dtype == torch.bfloat16 and tensor.dim() == 2 else None
        if kind:
            values = gguf.quants.quantize(values, kind)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def answer(**fields):
    print(json.dumps(fields), flush=True)


def ready(trained=0):
    import importlib.metadata

    names = ("torch", "transformers", "peft", "trl")
    versions = [f"{name} {sys.modules[name].__version__}" for name in names if name in sys.modules]
    versions = versions or ["safetensors " + importlib.metadata.version("safetensors")]
    answer(library=", ".join(versions), trained=trained)


def asked():
    return bool(sys.stdin.readline())


def rows_of(settings):
    return [json.loads(line)["input_ids"] for line in pathlib.Path(settings["rows"]).read_text().splitlines()]


def opened(settings):
    import peft
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(settings["model"], dtype=DTYPES[settings["dtype"]])
    model.to(settings.get("device", "cpu"))
    for i, adapter in enumerate(settings["adapters"]):
        if i == 0:
            trains = settings["task"] == "TRAIN"
            model = peft.PeftModel.from_pretrained(model, adapter, adapter_name="0", is_trainable=trains)
        else:
            model.load_adapter(adapter, adapter_name=str(i))
    return model


def train(settings):
    model = opened(settings).train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings["learningRate"], fused=True)
    ready(sum(p.numel() for p in parameters))
    run = torch.compile(model) if settings["engine"] == "compile" else model
    size, rows = settings["batch"], rows_of(settings)
    for start in itertools.cycle(range(0, len(rows), size)):
        if not asked():
            return
        ids = torch.tensor(rows[start : start + size], device=model.device)
        loss = run(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings["maxGradNorm"])
        optimizer.step()
        optimizer.zero_grad()
        peak = torch.cuda.max_memory_allocated() if model.device.type == "cuda" else 0
        answer(loss=loss.item(), divergence=0.0, peak=peak)


def train_by_trl(settings):
    import datasets
    import tokenizers
    import transformers
    import trl

    class InOrder(trl.SFTTrainer):
        def _get_train_sampler(self, *_):
            return torch.utils.data.SequentialSampler(self.train_dataset)

        def training_step(self, *given, **named):
            loss = super().training_step(*given, **named)
            self.told = loss.item() * counted
            return loss

    class Obedient(transformers.TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if not asked():
                sys.exit(0)

        def on_step_end(self, args, state, control, **_):
            answer(loss=trainer.told, divergence=0.0)

    model, rows = opened(settings), rows_of(settings)
    length = len(rows[0])
    # Of GPT-2's targets it counts the first token of each row, too, which nothing predicts.
    counted = length / (length - 1) if model.config.model_type == "gpt2" else 1
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<pad>": 0}, unk_token="<pad>"))
    config = trl.SFTConfig(
        output_dir=settings["model"] + "-trl",
        per_device_train_batch_size=settings["batch"],
        max_steps=1 << 20,
        learning_rate=settings["learningRate"],
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        weight_decay=0.01,
        max_grad_norm=settings["maxGradNorm"],
        gradient_checkpointing=False,
        bf16=False,  # the weights are already
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        max_length=None,
    )
    trainer = InOrder(
        model=model,
        args=config,
        train_dataset=datasets.Dataset.from_dict({"input_ids": rows}),
        processing_class=transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<pad>"),
        callbacks=[Obedient()],
    )
    ready(sum(p.numel() for p in model.parameters() if p.requires_grad))
    trainer.train()


def evaluate(settings):
    model = opened(settings).eval()
    ids = torch.tensor(rows_of(settings)[: settings["batch"]], device=model.device)
    ready()
    with torch.inference_mode():
        while asked():
            answer(loss=model(input_ids=ids, labels=ids, use_cache=False).loss.item())


def generate(settings):
    model = opened(settings).eval()
    prompt = torch.tensor(rows_of(settings)[:1], device=model.device)
    given = {"max_new_tokens": settings["newTokens"], "min_new_tokens": settings["newTokens"], "do_sample": False}
    ready()
    with torch.inference_mode():
        for turn in itertools.count():
            if not asked():
                return
            if settings["adapters"]:
                model.set_adapter(str(turn % len(settings["adapters"])))
            ids = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), pad_token_id=0, **given)
            answer(ids=ids[0, prompt.shape[1] :].tolist())


def serve(settings):
    """The first `batch` rows side by side; the last one's tokens."""
    model = opened(settings).eval()
    prompts = torch.tensor(rows_of(settings)[: settings["batch"]], device=model.device)
    given = {"max_new_tokens": settings["newTokens"], "min_new_tokens": settings["newTokens"], "do_sample": False}
    ready()
    with torch.inference_mode():
        while asked():
            ids = model.generate(input_ids=prompts, attention_mask=torch.ones_like(prompts), pad_token_id=0, **given)
            answer(ids=ids[-1, prompts.shape[1] :].tolist())


def load(settings):
    import safetensors.torch

    device = settings.get("device") or "cpu"
    ready()
    while asked():
        begun = time.perf_counter()
        tensors = safetensors.torch.load_file(settings["model"] + "/model.safetensors", device=device)
        if device != "cpu":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - begun
        answer(bytes=sum(t.numel() * t.element_size() for t in tensors.values()), seconds=seconds)
        del tensors


def dispatch(settings):
    """Nanoseconds of asking for an addition, without waiting for it; as DispatchTimes.java."""
    a, b = (torch.zeros(1024, device=settings["device"]) for _ in range(2))
    ready()
    while asked():
        rounds = []
        for _ in range(300):
            begun = time.perf_counter_ns()
            for _ in range(500):
                torch.add(a, b)
            rounds.append((time.perf_counter_ns() - begun) / 500)
            torch.cuda.synchronize()
        answer(add=statistics.median(rounds[100:]))


def work(settings):
    torch.set_num_threads(settings["threads"])
    if settings["task"] == "MAP":
        return load(settings)
    if settings["task"] == "DISPATCH":
        return dispatch(settings)
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if settings["engine"] == "trl":
        return train_by_trl(settings)
    tasks = {"TRAIN": train, "FULL": train, "EVAL": evaluate, "GENERATE": generate, "SERVE": serve}
    tasks[settings["task"]](settings)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    if sys.argv[1] == "make":
        make(pathlib.Path(sys.argv[2]), json.loads(sys.argv[3]))
    elif sys.argv[1] == "gguf":
        write_gguf(pathlib.Path(sys.argv[2]), sys.argv[3])
    else:
        work(json.loads(sys.stdin.readline()))
