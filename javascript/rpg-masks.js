// Masks: PNGs in the plan's text, canvases whose alpha is the weight here.

/** Longest side of a new mask in pixels: finer than the tokens of any picture. */
const rpgMaskSide = 512;
/** Masks that are kept decoded; more are read again when they are shown. */
const rpgKeptMasks = 200;

function rpgMaskCanvas(width, height) {
    const canvas = rpgElement("canvas", {width, height});
    canvas.getContext("2d", {willReadFrequently: true}).fillStyle = "#fff";
    return canvas;
}

/** An empty mask for a picture of that size. */
function rpgNewMask({width, height}) {
    const scale = rpgMaskSide / Math.max(width, height);
    return rpgMaskCanvas(Math.max(Math.round(width * scale), 1), Math.max(Math.round(height * scale), 1));
}

function rpgCopyMask(source) {
    const canvas = rpgMaskCanvas(source.width, source.height);
    canvas.getContext("2d").drawImage(source, 0, 0);
    return canvas;
}

/** A copy moved by dx, dy in fractions; what leaves the picture is lost. */
function rpgShiftMask(source, dx, dy) {
    const canvas = rpgMaskCanvas(source.width, source.height);
    canvas.getContext("2d").drawImage(source, Math.round(dx * source.width), Math.round(dy * source.height));
    return canvas;
}

function rpgFillBox(canvas, [left, top, right, bottom]) {
    const {width, height} = canvas;
    canvas.getContext("2d").fillRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
    return canvas;
}

function rpgInvertMask(source) {
    const canvas = rpgFillBox(rpgMaskCanvas(source.width, source.height), [0, 0, 1, 1]);
    const context = canvas.getContext("2d");
    context.globalCompositeOperation = "destination-out";
    context.drawImage(source, 0, 0);
    context.globalCompositeOperation = "source-over";
    return canvas;
}

/**
 * A stroke of the brush, round on the picture.
 * @param from, to {x, y} in fractions
 * @param radius share of the picture's shorter side
 * @param size {width, height} of the picture
 */
function rpgPaint(canvas, from, to, radius, size, rubber) {
    const context = canvas.getContext("2d");
    context.save();
    context.setTransform(canvas.width / size.width, 0, 0, canvas.height / size.height, 0, 0);
    context.globalCompositeOperation = rubber ? "destination-out" : "source-over";
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = 2 * radius * Math.min(size.width, size.height);
    context.strokeStyle = "#fff";
    context.beginPath();
    context.moveTo(from.x * size.width, from.y * size.height);
    context.lineTo(to.x * size.width, to.y * size.height);
    context.stroke();
    context.restore();
}

/** The mask as the plan holds it: white where the region is, black elsewhere. */
function rpgMaskText(canvas) {
    const opaque = rpgElement("canvas", {width: canvas.width, height: canvas.height});
    const context = opaque.getContext("2d");
    context.fillRect(0, 0, opaque.width, opaque.height);
    context.drawImage(canvas, 0, 0);
    return opaque.toDataURL("image/png");
}

/** Grey levels become alpha. */
function rpgMaskFromImage(image) {
    const canvas = rpgMaskCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    const {data} = pixels;
    for (let at = 0; at < data.length; at += 4) {
        data[at + 3] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        data[at] = data[at + 1] = data[at + 2] = 255;
    }
    context.putImageData(pixels, 0, 0);
    context.fillStyle = "#fff";
    return canvas;
}

/** The decoded masks of the plans that were shown, by their texts. */
class RpgMasks {
    /** @param onRead called when a mask that was asked for has been decoded */
    constructor(onRead) {
        this.onRead = onRead;
        this.known = new Map();
    }

    /** @returns {canvas, weights, bounds} of a mask, or null while it is being read and where it cannot be */
    get(text) {
        if (!this.known.has(text)) this.read(text);
        return this.known.get(text);
    }

    read(text) {
        this.known.set(text, null);
        const image = new Image();
        image.addEventListener("load", () => {
            this.keep(text, rpgMaskFromImage(image));
            this.onRead();
        });
        image.src = text.startsWith("data:") ? text : `data:image/png;base64,${text}`;
    }

    /** Remember what a text stands for, so that it need not be decoded. */
    keep(text, canvas) {
        const weights = rpgMaskWeights(canvas);
        this.known.delete(text);
        this.known.set(text, {canvas, weights, bounds: rpgMaskBounds(canvas)});
        if (this.known.size > rpgKeptMasks) this.known.delete(this.known.keys().next().value);
    }

    weights(text) {
        return this.get(text)?.weights ?? null;
    }

    /** The smallest box around a mask; null where it is empty. */
    bounds(text) {
        return this.get(text)?.bounds ?? null;
    }

    weightAt(text, {x, y}) {
        const [column, row] = [x, y].map((place) => Math.min(Math.max(Math.floor(place * rpgGrid), 0), rpgGrid - 1));
        return this.weights(text)?.[row * rpgGrid + column] ?? 0;
    }
}

function rpgAlpha(canvas) {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Float32Array.from({length: data.length / 4}, (_, at) => data[4 * at + 3] / 255);
}

function rpgMaskWeights(canvas) {
    const small = rpgMaskCanvas(rpgGrid, rpgGrid);
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, 0, 0, rpgGrid, rpgGrid);
    return rpgAlpha(small);
}

function rpgMaskBounds(canvas) {
    const {width, height} = canvas;
    let [left, top, right, bottom] = [width, height, 0, 0];
    rpgAlpha(canvas).forEach((weight, at) => {
        if (weight < 0.5) return;
        const [x, y] = [at % width, Math.floor(at / width)];
        left = Math.min(left, x);
        top = Math.min(top, y);
        right = Math.max(right, x + 1);
        bottom = Math.max(bottom, y + 1);
    });
    return right ? rpgRoundBox([left / width, top / height, right / width, bottom / height]) : null;
}
