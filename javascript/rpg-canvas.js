// The picture: regions where they lie, the borders between cells, the frame of the selected one, and a picture behind them.

class RpgCanvas {
    constructor(editor) {
        this.editor = editor;
        this.pieces = [];
        this.borders = [];
        this.size = {width: 512, height: 512}; // until the page says another
        this.build();
    }

    build() {
        this.backdrop = rpgElement("img", {className: "rpg-backdrop", alt: "", hidden: true, draggable: false});
        this.layer = rpgElement("div", {className: "rpg-layer"});
        this.frame = rpgElement("div", {className: "rpg-frame", hidden: true});
        this.buildTools();
        this.element = rpgElement("div", {className: "rpg-canvas", tabIndex: -1, role: "group", ariaLabel: "Regions in the picture"});
        this.element.append(this.backdrop, this.layer, this.frame, this.tools);
        this.element.addEventListener("focusin", ({target}) => {
            if (target.dataset.rpgIndex !== undefined) this.editor.select(Number(target.dataset.rpgIndex));
        });
    }

    /** The buttons that lie on the selected cell. */
    buildTools() {
        const act = (change) => () => this.editor.act((model) => change(model, model.selected), "canvas");
        this.columnsButton = rpgIconButton("columns", "Split into two columns", act((model, index) => model.splitRegion(index, "x")));
        this.rowsButton = rpgIconButton("rows", "Split into two rows", act((model, index) => model.splitRegion(index, "y")));
        this.joinButton = rpgIconButton("join", "Join", act((model, index) => model.joinRegion(index)));
        this.tools = rpgElement("div", {className: "rpg-tools", role: "toolbar", ariaLabel: "Cell"});
        this.tools.append(this.columnsButton, this.rowsButton, this.joinButton);
    }

    buildPiece(index) {
        const piece = rpgElement("div", {className: "rpg-region", role: "button", tabIndex: 0});
        const label = rpgElement("div", {className: "rpg-label"}, rpgElement("b"), rpgElement("span", {className: "rpg-words"}));
        piece.append(label);
        piece.dataset.rpgIndex = index;
        piece.style.setProperty("--rpg-hue", rpgHue(index));
        piece.style.zIndex = index;
        return piece;
    }

    buildBorder(index) {
        const border = rpgElement("div", {className: "rpg-border", role: "separator", tabIndex: 0});
        border.dataset.rpgBorder = index;
        border.ariaValueMin = "0";
        border.ariaValueMax = "100";
        return border;
    }

    /** @param seen {places, shares, warnings} of the draft */
    draw({places, shares, warnings}) {
        const {model} = this.editor;
        const {rows, regions} = model;
        const unread = !rows && String(model.draft.split_ratio).trim() !== "";
        this.element.classList.toggle("rpg-stale", unread);
        // While a split ratio cannot be read, the last one that could stays on show.
        if (unread && places.every(({kind}) => kind === "none")) return;
        const vacant = rows ? rpgCellBoxes(rows).slice(places.filter(({kind}) => kind === "cell").length) : [];
        rpgResize(this.layer, this.pieces, regions.length + vacant.length, (index) => this.buildPiece(index));
        places.forEach((place, index) => this.drawRegion(index, place, shares[index], warnings[index]));
        vacant.forEach((box, place) => this.drawVacant(this.pieces[regions.length + place], box));
        this.drawBorders(rows);
        this.drawFrame(places[model.selected]);
    }

    drawRegion(index, {kind, box}, {seen}, warnings) {
        const {model} = this.editor;
        const piece = this.pieces[index];
        const prompt = String(model.regions[index].prompt ?? "").trim();
        const name = model.nameOf(index);
        piece.hidden = kind === "none" || model.isHidden(index);
        piece.classList.toggle("rpg-empty", !prompt);
        piece.classList.toggle("rpg-warned", warnings.length > 0);
        piece.classList.toggle("rpg-active", index === model.selected);
        piece.classList.toggle("rpg-locked", model.isLocked(index));
        piece.classList.remove("rpg-vacant");
        piece.dataset.rpgKind = kind;
        piece.title = warnings.join(". ");
        piece.ariaPressed = String(index === model.selected);
        const said = [`Region ${index + 1}`, name, prompt.slice(0, 120), `${rpgPercent(seen)} of the picture`, ...warnings];
        piece.ariaLabel = said.filter(Boolean).join(", ");
        const [number, words] = piece.firstChild.children;
        number.textContent = String(index + 1);
        words.textContent = name || prompt.slice(0, 120);
        if (box) this.lay(piece, box);
    }

    drawVacant(piece, box) {
        piece.hidden = false;
        piece.className = "rpg-region rpg-empty rpg-vacant";
        piece.title = piece.ariaLabel = "A cell without a region";
        for (const text of piece.firstChild.children) text.textContent = "";
        this.lay(piece, box);
    }

    lay(element, [left, top, right, bottom]) {
        const share = (value) => `${value * 100}%`;
        Object.assign(element.style, {left: share(left), top: share(top), width: share(right - left), height: share(bottom - top)});
    }

    drawBorders(rows) {
        const borders = rows ? rpgBorders(rows) : [];
        rpgResize(this.layer, this.borders, borders.length, (index) => this.buildBorder(index));
        borders.forEach(({axis, at, from, to, cells}, index) => {
            const element = this.borders[index];
            this.lay(element, axis === "x" ? [at, from, at, to] : [from, at, to, at]);
            element.dataset.rpgAxis = axis;
            element.ariaOrientation = axis === "x" ? "vertical" : "horizontal";
            element.ariaValueNow = String(Math.round(at * 100));
            const numbers = cells.map((cell) => this.editor.model.regionOfCell(cell) + 1).filter(Boolean);
            element.ariaLabel = `Border between regions ${numbers.join(" and ")}`;
        });
    }

    /** The outline of the selected region lies over all others, also where they hide it. */
    drawFrame(place) {
        const {model} = this.editor;
        const box = place?.box;
        this.frame.hidden = !box || model.isHidden(model.selected);
        this.tools.hidden = this.frame.hidden || place.kind !== "cell" || model.isLocked(model.selected);
        if (this.frame.hidden) return;
        this.frame.style.setProperty("--rpg-hue", rpgHue(model.selected));
        this.lay(this.frame, box);
        if (this.tools.hidden) return;
        this.columnsButton.disabled = !model.canSplit(model.selected, "x");
        this.rowsButton.disabled = !model.canSplit(model.selected, "y");
        const pair = model.joinable(model.selected);
        const other = pair && pair.find((index) => index !== model.selected);
        this.joinButton.disabled = !pair;
        this.joinButton.title = this.joinButton.ariaLabel = pair ? `Join with region ${other + 1}` : "No neighbour to join with";
        // Inside the cell where it is large enough, else as near as the picture's edges allow.
        this.tools.style.left = `clamp(3.2em, ${((box[0] + box[2]) / 2) * 100}%, 100% - 3.2em)`;
        this.tools.style.top = `${box[3] * 100}%`;
    }

    /** @param size {width, height} of the picture to be made */
    setSize(size) {
        const {width, height} = size;
        if (!(width > 0 && height > 0) || (width === this.size.width && height === this.size.height)) return;
        this.size = size;
        this.element.style.setProperty("--rpg-aspect", width / height);
        this.editor.view.draw();
    }

    /** @param source address of the picture behind the regions; "" for none */
    setBackdrop(source, strength) {
        if (this.backdrop.getAttribute("src") !== source) this.backdrop.src = source;
        this.backdrop.hidden = !source;
        this.backdrop.style.opacity = strength;
        this.element.classList.toggle("rpg-backed", Boolean(source));
    }

    focusRegion(index) {
        this.pieces[index]?.focus({preventScroll: true});
    }

    focusBorder(index) {
        this.borders[index]?.focus({preventScroll: true});
    }
}

function rpgPercent(share) {
    return share > 0 && share < 0.01 ? "<1 %" : `${Math.round(share * 100)} %`;
}
