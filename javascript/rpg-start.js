// What stands above an empty plan: captions to try, and what a split ratio is.

const rpgExamples = [
    "a red circle on the left and a blue square on the right",
    "a moon at the top and a black cat at the bottom",
    "two cats and a dog on a sofa",
];
const rpgExampleRatios = [
    ["1,1", "Two columns of equal widths"],
    ["1;2", "Two rows, the lower one twice as high"],
    ["1,1,1;2,1,1", "Two rows; the first number of a row is its height, the others are the widths of its regions"],
];

class RpgStart {
    constructor(editor) {
        this.editor = editor;
        const captions = rpgExamples.map((caption) => rpgButton(caption, "", () => editor.host.plan(rpgWords(caption))));
        const ratios = rpgExampleRatios.map(([ratio, title]) => this.buildRatio(ratio, title));
        const say = (text) => rpgElement("p", {textContent: text});
        this.element = rpgElement(
            "div",
            {className: "rpg-start"},
            say("Describe the picture above and press Plan. To try it:"),
            rpgElement("div", {className: "rpg-examples"}, ...captions),
            say("A split ratio divides the picture: commas between columns, semicolons between rows."),
            rpgElement("div", {className: "rpg-examples"}, ...ratios),
        );
    }

    /** A small picture of a split ratio; pressed, it is taken. */
    buildRatio(ratio, title) {
        const button = rpgButton(ratio, title, () => this.editor.act((model) => model.setRatio(ratio)));
        button.prepend(rpgRatioPicture(ratio));
        return button;
    }

    draw() {
        const {model} = this.editor;
        this.element.hidden = Boolean(model.planner) || !model.regions.every(rpgIsEmptyRegion);
    }
}

function rpgRatioPicture(ratio) {
    const svg = rpgSvg("svg", {viewBox: "0 0 48 32", "aria-hidden": "true"});
    rpgCellBoxes(rpgParseRatio(ratio)).forEach(([left, top, right, bottom], index) => {
        const place = {x: left * 48 + 1, y: top * 32 + 1, width: (right - left) * 48 - 2, height: (bottom - top) * 32 - 2};
        svg.append(rpgSvg("rect", {...place, rx: 2, style: `--rpg-hue: ${rpgHue(index)}`}));
    });
    return svg;
}
