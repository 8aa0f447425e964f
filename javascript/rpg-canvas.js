// The picture: regions where they lie, the borders between cells, the frame of the selected one, and a picture behind them.

class RpgCanvas {
    constructor(editor) {
        this.editor = editor;
        this.pieces = [];
        this.borders = [];
        this.backed = false;
        this.size = {width: 512, height: 512}; // until the page says another
        this.build();
    }

    build() {
        this.backdrop = rpgElement("img", {className: "rpg-backdrop", alt: "", hidden: true, draggable: false});
        this.layer = rpgElement("div", {className: "rpg-layer"});
        const handles = ["nw", "n", "ne", "e", "se", "s", "sw", "w"].map((name) => rpgElement("i", {className: `rpg-handle rpg-${name}`}));
        this.frame = rpgElement("div", {className: "rpg-frame", hidden: true}, ...handles);
        this.brush = rpgElement("div", {className: "rpg-brush", hidden: true});
        this.buildTools();
        this.element = rpgElement("div", {className: "rpg-canvas", tabIndex: -1, role: "group", ariaLabel: "Regions in the picture"});
        this.element.append(this.backdrop, this.layer, this.frame, this.brush, this.tools);
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
        piece.append(rpgElement("canvas", {className: "rpg-mask", width: 0, height: 0}));
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

    drawRegion(index, {kind, box, mask}, {seen}, warnings) {
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
        const share = rpgWords("{1} of the picture", rpgPercent(seen));
        const said = [rpgWords("Region {1}", index + 1), name, prompt.slice(0, 120), share, ...warnings];
        piece.ariaLabel = said.filter(Boolean).join(", ");
        const [number, words] = piece.lastChild.children;
        number.textContent = String(index + 1);
        words.textContent = name || prompt.slice(0, 120);
        if (box) this.lay(piece, box);
        if (kind === "mask") this.drawMask(index, this.editor.masks.get(mask));
    }

    /** A mask covers the whole picture; its label lies at its upper left. */
    drawMask(index, known) {
        const piece = this.pieces[index];
        this.lay(piece, [0, 0, 1, 1]);
        const [left, top] = known?.bounds ?? [0, 0];
        Object.assign(piece.lastChild.style, {left: `${left * 100}%`, top: `${top * 100}%`});
        this.tint(piece, known?.canvas);
    }

    /**
     * The mask in the region's colours: what is below shows through as little as it does through a box.
     * @param painted that the canvas of the mask has been painted on since
     */
    tint(piece, mask, painted = false) {
        const canvas = piece.firstChild;
        const strength = piece.classList.contains("rpg-active") ? 0.45 : 0.3;
        const hue = `hsl(${piece.style.getPropertyValue("--rpg-hue")} 70% 50%)`;
        const ground = this.backed ? "" : getComputedStyle(this.element).backgroundColor;
        const shown = [mask, hue, strength, ground];
        if (!painted && shown.every((value, index) => value === piece.rpgShown?.[index])) return;
        piece.rpgShown = shown;
        canvas.width = mask?.width ?? 0; // clears it
        canvas.height = mask?.height ?? 0;
        if (!mask) return;
        const context = canvas.getContext("2d");
        context.drawImage(mask, 0, 0);
        const fill = (colour, alpha, how) => {
            Object.assign(context, {globalCompositeOperation: how, globalAlpha: alpha, fillStyle: colour});
            context.fillRect(0, 0, canvas.width, canvas.height);
        };
        if (this.backed) return fill(hue, strength + 0.2, "source-in");
        fill(ground, 1, "source-in");
        fill(hue, strength, "source-atop");
    }

    drawVacant(piece, box) {
        piece.hidden = false;
        piece.className = "rpg-region rpg-empty rpg-vacant";
        piece.title = piece.ariaLabel = rpgWords("A cell without a region");
        for (const text of piece.lastChild.children) text.textContent = "";
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
            const two = numbers.length === 2;
            const said = two ? rpgWords("Border between regions {1} and {2}", ...numbers) : rpgWords("Border between regions {1}", numbers.join(", "));
            element.ariaLabel = said;
        });
    }

    /** The outline of the selected region lies over all others, also where they hide it. */
    drawFrame(place) {
        const {model} = this.editor;
        const box = place?.box ?? (place?.mask === undefined ? null : this.editor.masks.bounds(place.mask));
        this.frame.hidden = !box || model.isHidden(model.selected);
        this.frame.classList.toggle("rpg-held", place?.kind === "box" && !model.isLocked(model.selected));
        this.frame.classList.toggle("rpg-loose", place?.kind === "mask");
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
        const said = pair ? rpgWords("Join with region {1}", other + 1) : rpgWords("No neighbour to join with");
        this.joinButton.title = this.joinButton.ariaLabel = said;
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
        if (this.element.classList.toggle("rpg-backed", Boolean(source)) !== this.backed) {
            this.backed = Boolean(source);
            this.editor.view.draw();
        }
    }

    /** The brush's outline around a point; null hides it. */
    drawBrush(point) {
        this.brush.hidden = !point;
        if (!point) return;
        const {width, height} = this.size;
        const side = 2 * this.editor.radius * Math.min(width, height);
        this.lay(this.brush, [point.x - side / width / 2, point.y - side / height / 2, point.x + side / width / 2, point.y + side / height / 2]);
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
