// Split ratios as they are drawn and changed: the grammar of rpg/areas/layout.py. Python alone decides what is valid and words
// the error. Rows are {height, widths}, numbers as the user wrote them. A box is [left, top, right, bottom] in fractions.

/** What Python allows: the most regions and characters, the largest quotient of two sides, areas. The page brings it along. */
const rpgLimits = {};

/** The smallest share of a side that dragging leaves to a cell. */
const rpgLeastShare = 0.02;

/** The rows {height, widths} of a split ratio, as the user wrote the numbers; null when it cannot be read. */
function rpgParseRatio(text) {
    if (text.length > rpgLimits.text) return null;
    const narrow = text.normalize("NFKC").replaceAll("、", ",");
    const cells = narrow.split(";").map((row) => row.split(",").map((cell) => cell.trim()));
    const number = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/;
    const positive = (cell) => number.test(cell) && Number(cell) > 0 && Number(cell) < Infinity;
    if (!cells.flat().every(positive)) return null;
    const rows =
        cells.length === 1
            ? [{height: "1", widths: cells[0]}]
            : cells.map(([height, ...widths]) => ({height, widths: widths.length ? widths : ["1"]}));
    const even = (sides) => Math.max(...sides) / rpgLimits.contrast <= Math.min(...sides);
    const fits = rpgCountCells(rows) <= rpgLimits.regions && even(rows.map((row) => row.height));
    return fits && rows.every((row) => even(row.widths)) ? rows : null;
}

function rpgFormatRatio(rows) {
    if (rows.length === 1) return rows[0].widths.join(",");
    return rows.map(({height, widths}) => (widths.length > 1 ? [height, ...widths].join(",") : height)).join(";");
}

function rpgCountCells(rows) {
    return rows.reduce((sum, row) => sum + row.widths.length, 0);
}

function rpgSum(numbers) {
    return numbers.reduce((sum, number) => sum + Number(number), 0);
}

/** Where the borders between the sides lie, from 0 to 1. */
function rpgEdges(sides) {
    const total = rpgSum(sides);
    const inner = sides.slice(1).map((_, index) => rpgSum(sides.slice(0, index + 1)) / total);
    return [0, ...inner, 1];
}

/** One box for each cell. */
function rpgCellBoxes(rows) {
    const heights = rpgEdges(rows.map((row) => row.height));
    return rows.flatMap((row, y) => {
        const widths = rpgEdges(row.widths);
        return row.widths.map((_, x) => [widths[x], heights[y], widths[x + 1], heights[y + 1]]);
    });
}

/**
 * The borders that can be dragged: {axis, row, index, at, from, to, cells}. Along "x" it divides two cells of a row, along "y"
 * two rows; `at` is its place on that axis, `from` and `to` its ends on the other, `cells` what touches it.
 */
function rpgBorders(rows) {
    const heights = rpgEdges(rows.map((row) => row.height));
    const borders = [];
    let first = 0;
    rows.forEach((row, y) => {
        const numbers = row.widths.map((_, x) => first + x);
        rpgEdges(row.widths)
            .slice(1, -1)
            .forEach((at, index) =>
                borders.push({axis: "x", row: y, index, at, from: heights[y], to: heights[y + 1], cells: numbers.slice(index, index + 2)}),
            );
        first += row.widths.length;
        if (y + 1 === rows.length) return;
        const below = rows[y + 1].widths.map((_, x) => first + x);
        borders.push({axis: "y", row: y, index: y, at: heights[y + 1], from: 0, to: 1, cells: [...numbers, ...below]});
    });
    return borders;
}

/** Shift snaps to these. */
const rpgSnaps = [[0, 1], [1, 4], [1, 3], [1, 2], [2, 3], [3, 4], [1, 1]];

function rpgNearestSnap(at, snaps = rpgSnaps) {
    const distance = ([part, of]) => Math.abs(part / of - at);
    return snaps.reduce((best, snap) => (distance(snap) < distance(best) ? snap : best));
}

/** Decimal digits without exponent, noise of floats cut off. */
function rpgDigits(number) {
    return number.toFixed(6).replace(/\.?0+$/, "");
}

/** Whole numbers without their common divisor. */
function rpgReduce(numbers) {
    if (!numbers.every((number) => Number.isSafeInteger(number) && number > 0)) return numbers;
    const divisor = (a, b) => (b ? divisor(b, a % b) : a);
    const common = numbers.reduce(divisor);
    return numbers.map((number) => number / common);
}

/** The sides with the border after `index` at the share `at` of their sum: two of them change, by about 1/200 of the whole. */
function rpgMoveCut(sides, index, at, snap) {
    const numbers = sides.map(Number);
    const total = rpgSum(numbers);
    const before = rpgSum(numbers.slice(0, index));
    const pair = numbers[index] + numbers[index + 1];
    const least = Math.min(total * rpgLeastShare, pair / 2);
    const inside = ([part, of]) => (part / of) * total >= before + least && (part / of) * total <= before + pair - least;
    const snaps = snap ? rpgSnaps.filter(inside) : [];
    if (snaps.length) return rpgSnapCut(numbers, index, rpgNearestSnap(at, snaps));
    const power = 10 ** Math.floor(Math.log10(total / 200));
    const step = power * [5, 2, 1].find((factor) => factor * power <= total / 200);
    const places = Math.round((at * total - before) / step) * step;
    const first = Math.min(Math.max(places, least), pair - least);
    return numbers.map((number, place) =>
        place === index ? rpgDigits(first) : place === index + 1 ? rpgDigits(pair - first) : sides[place],
    );
}

/** The same with the border at exactly `part`/`of` of the whole; where decimals cannot say that, all sides are multiplied. */
function rpgSnapCut(numbers, index, [part, of]) {
    const cut = (scale) => {
        const scaled = numbers.map((number) => number * scale);
        const first = (part * rpgSum(scaled)) / of - rpgSum(scaled.slice(0, index));
        const pair = scaled[index] + scaled[index + 1];
        return scaled.map((number, place) => (place === index ? first : place === index + 1 ? pair - first : number));
    };
    const digits = numbers.every(Number.isInteger) ? 1 : 100; // whole numbers stay whole
    const short = (number) => Math.abs(number * digits - Math.round(number * digits)) < 1e-6;
    const sides = cut(1).every(short) ? cut(1) : cut(of);
    return rpgReduce(sides.map((side) => Number(rpgDigits(side)))).map(rpgDigits);
}

/** The rows with a border moved to `at`. */
function rpgMoveBorder(rows, {axis, row, index}, at, snap) {
    if (axis === "x") return rows.map((each, y) => (y === row ? {...each, widths: rpgMoveCut(each.widths, index, at, snap)} : each));
    const heights = rpgMoveCut(rows.map((each) => each.height), index, at, snap);
    return rows.map((each, y) => ({...each, height: heights[y]}));
}

/** [row, column] of a cell. */
function rpgFindCell(rows, cell) {
    let row = 0;
    while (row < rows.length && cell >= rows[row].widths.length) cell -= rows[row++].widths.length;
    return [row, cell];
}

/** The sides with one of them cut in two halves; whole numbers stay whole. */
function rpgHalve(sides, index) {
    const numbers = sides.map(Number);
    const whole = numbers.every(Number.isInteger);
    const doubled = whole && numbers[index] % 2 ? numbers.map((number) => number * 2) : numbers;
    const half = doubled[index] / 2;
    return [...doubled.slice(0, index), half, half, ...doubled.slice(index + 1)].map(rpgDigits);
}

/** Whether the cell has a row for itself, and so can be split into rows and joined with them. */
function rpgIsWholeRow(rows, cell) {
    return rows[rpgFindCell(rows, cell)[0]]?.widths.length === 1;
}

/** The rows with a cell cut in two: the new one is the next. Along "y" only where rpgIsWholeRow. */
function rpgSplitCell(rows, cell, axis) {
    const [row, column] = rpgFindCell(rows, cell);
    if (axis === "x") return rows.map((each, y) => (y === row ? {...each, widths: rpgHalve(each.widths, column)} : each));
    const heights = rpgHalve(rows.map((each) => each.height), row);
    return heights.map((height, y) => ({...rows[y > row ? y - 1 : y], height}));
}

/** The first of the two cells that Join makes one, the other being the next; -1 where there is no such pair. */
function rpgJoinable(rows, cell) {
    const [row, column] = rpgFindCell(rows, cell);
    const {widths} = rows[row];
    if (widths.length > 1) return column + 1 < widths.length ? cell : cell - 1;
    if (rows[row + 1]?.widths.length === 1) return cell;
    return rows[row - 1]?.widths.length === 1 ? cell - 1 : -1;
}

/** The rows with the cells `first` and `first + 1` made one. */
function rpgJoinCells(rows, first) {
    const [row, column] = rpgFindCell(rows, first);
    const joined = (sides, index) => [
        ...sides.slice(0, index),
        rpgDigits(Number(sides[index]) + Number(sides[index + 1])),
        ...sides.slice(index + 2),
    ];
    const {widths} = rows[row];
    if (widths.length > 1) return rows.map((each, y) => (y === row ? {...each, widths: joined(widths, column)} : each));
    const heights = joined(rows.map((each) => each.height), row);
    return heights.map((height, y) => ({...rows[y > row ? y + 1 : y], height}));
}

/** The rows with one more cell at the end: in a column of its own, or below if the last row is undivided. */
function rpgAddCell(rows) {
    const last = rows[rows.length - 1];
    if (rows.length > 1 && last.widths.length === 1) return [...rows, last];
    return [...rows.slice(0, -1), {...last, widths: [...last.widths, last.widths[last.widths.length - 1]]}];
}

/** The rows without a cell; its neighbours in the row, or else the other rows, take its place. */
function rpgRemoveCell(rows, cell) {
    const [row, column] = rpgFindCell(rows, cell);
    const kept = rows.map((each, y) => (y === row ? {...each, widths: each.widths.filter((_, x) => x !== column)} : each));
    return kept.filter(({widths}) => widths.length);
}
