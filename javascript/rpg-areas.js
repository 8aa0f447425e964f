// Where regions lie: cells of the split ratio, boxes and masks, and who is seen after overlaps. No part of the page is touched.
// A box is [left, top, right, bottom] in fractions of the picture.

/** The smallest side that dragging leaves to a box. */
const rpgLeastSide = 0.01;
/** Places on a side at which the regions' shares are looked at. */
const rpgGrid = 64;
/** A region of which less than this share is seen counts as hidden. */
const rpgBarely = 0.05;
/** Pixels on a side below which a region is less than one token of SDXL's first attention. */
const rpgToken = 16;
const rpgNoPrompt = "No prompt yet";

function rpgIsBox(box) {
    const right = Array.isArray(box) && box.length === 4 && box.every((edge) => Number.isFinite(edge) && edge >= 0 && edge <= 1);
    return right && box[0] < box[2] && box[1] < box[3];
}

/** To 1/10000 of the picture: finer than a pixel. */
function rpgRoundBox(box) {
    return box.map((edge) => Math.round(Math.min(Math.max(edge, 0), 1) * 1e4) / 1e4);
}

function rpgInside([left, top, right, bottom], {x, y}) {
    return x >= left && x < right && y >= top && y < bottom;
}

function rpgSnapEdge(edge) {
    const [part, of] = rpgNearestSnap(edge);
    return part / of;
}

/** The box that two corners span. */
function rpgSpan(start, end, snap) {
    const along = (from, to) => [from, to].map((edge) => (snap ? rpgSnapEdge(edge) : edge)).sort((a, b) => a - b);
    const [left, right] = along(start.x, end.x);
    const [top, bottom] = along(start.y, end.y);
    return rpgRoundBox([left, top, right, bottom]);
}

/** The box with the edges named by a handle ("n", "se", ...) moved by dx, dy. */
function rpgResizeBox(box, handle, dx, dy, snap) {
    const moved = (edge, by, least, most) => {
        const place = snap ? rpgSnapEdge(edge + by) : edge + by;
        return Math.min(Math.max(place, least), most);
    };
    let [left, top, right, bottom] = box;
    if (handle.includes("w")) left = moved(left, dx, 0, right - rpgLeastSide);
    if (handle.includes("e")) right = moved(right, dx, left + rpgLeastSide, 1);
    if (handle.includes("n")) top = moved(top, dy, 0, bottom - rpgLeastSide);
    if (handle.includes("s")) bottom = moved(bottom, dy, top + rpgLeastSide, 1);
    return rpgRoundBox([left, top, right, bottom]);
}

/** A box for those who cannot drag one. */
const rpgFirstBox = [0.3, 0.3, 0.7, 0.7];

/** The box moved by dx, dy, within the picture. Snapped, its nearer edge lies on a line. */
function rpgMoveBox([left, top, right, bottom], dx, dy, snap) {
    const along = (low, high, by) => {
        const size = high - low;
        let start = low + by;
        if (snap) {
            const offsets = [start, start + size].map((edge) => rpgSnapEdge(edge) - edge);
            start += Math.abs(offsets[0]) <= Math.abs(offsets[1]) ? offsets[0] : offsets[1];
        }
        start = Math.min(Math.max(start, 0), 1 - size);
        return [start, start + size];
    };
    const [x, y] = [along(left, right, dx), along(top, bottom, dy)];
    return rpgRoundBox([x[0], y[0], x[1], y[1]]);
}

/**
 * Where every region lies: {kind, box, cell, mask}. A "cell" is the next one of the split ratio and has its number, "box" and
 * "mask" are areas of its own (a mask's box is null), "none" cannot be drawn: no cell is left or the area cannot be read.
 */
function rpgPlaces(draft) {
    const rows = rpgParseRatio(String(draft.split_ratio));
    const cells = rows ? rpgCellBoxes(rows) : [];
    let next = 0;
    return draft.regions.map(({area}) => {
        if (area === undefined) {
            const cell = next++;
            return cell < cells.length ? {kind: "cell", box: cells[cell], cell} : {kind: "none", box: null};
        }
        if (rpgIsBox(area?.box)) return {kind: "box", box: area.box};
        if (typeof area?.mask === "string" && area.mask) return {kind: "mask", box: null, mask: area.mask};
        return {kind: "none", box: null};
    });
}

/** How much of each of `count` stretches of a side lies between `low` and `high`, 0 to 1. */
function rpgCoverage(low, high, count) {
    const covered = (stretch) => Math.min(high * count, stretch + 1) - Math.max(low * count, stretch);
    return Float32Array.from({length: count}, (_, stretch) => Math.min(Math.max(covered(stretch), 0), 1));
}

/** The weight of a place in every field of the grid, row by row; null where nothing is known of it. */
function rpgWeights({box, mask}, maskWeights) {
    if (mask !== undefined) return maskWeights(mask);
    if (!box) return null;
    const [columns, rows] = [rpgCoverage(box[0], box[2], rpgGrid), rpgCoverage(box[1], box[3], rpgGrid)];
    const weights = new Float32Array(rpgGrid * rpgGrid);
    rows.forEach((row, y) => columns.forEach((column, x) => (weights[y * rpgGrid + x] = row * column)));
    return weights;
}

/**
 * The share of the picture that every region asks for and what later ones leave of it: [{asked, seen}], 0 to 1.
 * @param maskWeights gives the grid's weights of a mask's text, or null
 */
function rpgShares(places, maskWeights) {
    const left = new Float32Array(rpgGrid * rpgGrid).fill(1);
    const shares = places.map(() => ({asked: 0, seen: 0}));
    for (let number = places.length - 1; number >= 0; number--) {
        const weights = rpgWeights(places[number], maskWeights);
        if (!weights) continue;
        let [asked, seen] = [0, 0];
        for (let at = 0; at < left.length; at++) {
            asked += weights[at];
            seen += weights[at] * left[at];
            left[at] *= 1 - weights[at];
        }
        shares[number] = {asked: asked / left.length, seen: seen / left.length};
    }
    return shares;
}

/**
 * What is odd about each region, in sentences: [[...], ...].
 * @param shares of rpgShares
 * @param size {width, height} of the picture to be made, in pixels
 */
function rpgWarnings(draft, places, shares, size) {
    return draft.regions.map(({area, prompt}, index) => {
        const {kind, box, mask} = places[index];
        const {asked, seen} = shares[index];
        const sides = box ? [(box[2] - box[0]) * size.width, (box[3] - box[1]) * size.height].map(Math.round) : [];
        const warnings = [];
        if (!String(prompt ?? "").trim()) warnings.push(rpgWords(rpgNoPrompt));
        if (kind === "none") warnings.push(rpgWords(area === undefined ? "The split ratio has no cell for it" : "Its area cannot be read"));
        if (mask !== undefined && asked === 0) warnings.push(rpgWords("The mask is empty"));
        if (asked > 0 && seen < asked * rpgBarely) warnings.push(rpgWords("Hidden under later regions"));
        if (sides.some((side) => side < rpgToken)) warnings.push(rpgWords("Only {1} × {2} pixels", ...sides));
        return warnings;
    });
}
