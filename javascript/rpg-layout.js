// Split ratios as they are drawn: the grammar of rpg/areas/layout.py. Python alone decides what is valid and words the error.

const rpgLimits = {regions: 64, contrast: 1000, text: 8192};

/** The rows {height, widths} of a split ratio, as the user wrote the numbers; null when it cannot be read. */
function rpgParseRatio(text) {
    if (text.length > rpgLimits.text) return null;
    const cells = text.split(";").map((row) => row.split(",").map((cell) => cell.trim()));
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

/** One {left, top, width, height} in fractions of the picture for each region. */
function rpgBoxes(rows) {
    const spans = (sides) => {
        const total = sides.reduce((sum, side) => sum + Number(side), 0);
        let start = 0;
        return sides.map((side) => {
            const span = {start, size: Number(side) / total};
            start += span.size;
            return span;
        });
    };
    const heights = spans(rows.map((row) => row.height));
    return rows.flatMap((row, y) =>
        spans(row.widths).map(({start, size}) => ({left: start, top: heights[y].start, width: size, height: heights[y].size})),
    );
}

/** The rows with one more region at the end: in a column of its own, or below if the last row is undivided. */
function rpgAddCell(rows) {
    const last = rows[rows.length - 1];
    if (rows.length > 1 && last.widths.length === 1) return [...rows, last];
    return [...rows.slice(0, -1), {...last, widths: [...last.widths, last.widths[last.widths.length - 1]]}];
}

/** The rows without the region of that index; its neighbours in the row, or else the other rows, take its place. */
function rpgRemoveCell(rows, index) {
    const kept = [];
    for (const row of rows) {
        const widths = row.widths.filter((_, column) => column !== index);
        index -= row.widths.length;
        if (widths.length) kept.push({...row, widths});
    }
    return kept;
}
