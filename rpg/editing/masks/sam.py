"""Segment Anything (Kirillov et al., 2023) by transformers, from a folder of the user's."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.masks import box as whole
from rpg.errors import EditingError
from rpg.llm import trust

SURE = 0.85
"""Of several masks the largest that the model is so sure of is taken; where it is of none, the surest."""


def find(picture: Image.Image, box: Box, folder: str) -> Any:
    """[height, width] of uint8.

    Raises:
        EditingError: when the folder holds no such model.
    """
    model, processor, torch = _load(folder)
    sides = [float(side) for side in whole.pixels(box, picture.size)]
    inputs = processor(picture, input_boxes=[[sides]], return_tensors="pt")
    # The boxes come out in double precision, which not every device has.
    inputs = {name: value.to(torch.float32) if value.is_floating_point() else value for name, value in inputs.items()}
    with torch.no_grad():
        output = model(pixel_values=inputs["pixel_values"], input_boxes=inputs["input_boxes"], multimask_output=True)
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    masks = processor.image_processor.post_process_masks(output.pred_masks, *sizes)[0][0].numpy()
    return chosen(masks, output.iou_scores[0, 0].numpy()).astype(np.uint8) * 255


def chosen(masks: Any, scores: Any) -> Any:
    """Of [masks, height, width] of bool the largest sure one, else the surest."""
    sure = np.flatnonzero(scores >= SURE)
    return masks[max(sure, key=lambda number: masks[number].sum()) if len(sure) else int(scores.argmax())]


@lru_cache(maxsize=1)
def _load(folder: str) -> tuple[Any, Any, Any]:
    folder = trust.model_folder(folder) if folder else ""
    if not folder or not Path(folder).is_dir():
        if not folder:
            raise EditingError("The mask 'sam' needs the folder of a Segment Anything model; name it, or use the mask 'grabcut'.")
        raise EditingError(f"There is no folder {folder!r} with a Segment Anything model; name one, or use the mask 'grabcut'.")
    try:
        import torch
        from transformers import SamModel, SamProcessor

        model = SamModel.from_pretrained(folder, local_files_only=True).eval()
        processor = SamProcessor.from_pretrained(folder, local_files_only=True)
    except ImportError:
        raise EditingError("The mask 'sam' needs torch and transformers; install them, or use the mask 'grabcut'.") from None
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise EditingError(f"{folder!r} holds no Segment Anything model in transformers' format ({said}).") from None
    return model, processor, torch
