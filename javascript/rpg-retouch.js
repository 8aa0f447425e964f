// The mask of what is painted anew next, over its picture: painted on and rubbed out before "Repaint" is pressed.

/** Strokes that can be taken back. */
const rpgKeptStrokes = 20;

class RpgRetouch {
    /** @param root the element to fill, in a column that is shown with it */
    constructor(root) {
        this.root = root;
        this.radius = 0.05; // of the brush, in shares of the picture's shorter side
        this.build();
        this.close();
    }

    build() {
        this.sentence = rpgElement("p", {className: "rpg-status"});
        this.more = rpgElement("p", {className: "rpg-status"});
        this.picture = rpgElement("img", {className: "rpg-backdrop", alt: "", draggable: false});
        this.layer = rpgElement("canvas", {className: "rpg-layer"});
        this.target = rpgElement("div", {className: "rpg-target", title: "Where it goes"});
        this.brush = rpgElement("div", {className: "rpg-brush", hidden: true});
        this.canvas = rpgElement("div", {className: "rpg-canvas", tabIndex: 0, role: "group", ariaLabel: "Mask over the picture"});
        this.canvas.append(this.picture, this.layer, this.target, this.brush);
        this.tools = {
            brush: rpgIconButton("brush", "Paint what is painted anew ([ and ] change the brush's size)", () => this.setTool("brush")),
            rubber: rpgIconButton("rubber", "Rub out what stays as it is", () => this.setTool("rubber")),
        };
        this.undoButton = rpgIconButton("undo", "Undo (Ctrl+Z)", () => this.undo());
        this.slider = rpgSlider("Size of the brush", [0.005, 0.25, 0.005], (radius) => (this.radius = radius));
        this.slider.value = this.radius;
        const group = (...elements) => rpgElement("div", {className: "rpg-group"}, ...elements);
        const bar = rpgElement("div", {className: "rpg-tools-bar", role: "toolbar", ariaLabel: "Mask"});
        bar.append(
            group(...Object.values(this.tools)),
            rpgElement("label", {className: "rpg-group rpg-small"}, rpgElement("span", {textContent: "Brush"}), this.slider),
            group(
                this.undoButton,
                rpgIconButton("clear", "Clear the mask", () => this.change(() => rpgMaskCanvas(this.mask.width, this.mask.height))),
            ),
            rpgElement("div", {className: "rpg-group rpg-last"}, rpgIconButton("remove", "Close without repainting", () => this.close())),
        );
        const body = rpgElement("div", {className: "rpg-editor"}, bar, rpgElement("div", {className: "rpg-stage"}, this.canvas));
        this.root.append(rpgElement("div", {className: "rpg-message"}, this.sentence, this.more), body);
        this.listen();
        this.setTool("brush");
    }

    /** @param text JSON of the mask and its picture; "" takes it away */
    show(text) {
        if (!text) return this.close();
        const {sent, place, shown, sentence, more} = JSON.parse(text);
        this.close();
        Object.assign(this, {sent, place, past: []});
        this.sentence.textContent = sentence; // rpg-words.js translates it
        this.more.textContent = more ? rpgWords("Afterwards {1} more.", more) : "";
        const [{target}] = sent.operations;
        this.target.hidden = !target;
        if (target) this.lay(this.target, target);
        this.picture.src = shown;
        const image = new Image();
        image.addEventListener("load", () => {
            if (this.sent !== sent) return;
            this.canvas.style.setProperty("--rpg-aspect", image.naturalWidth / image.naturalHeight);
            this.mask = this.given = rpgMaskFromImage(image);
            this.root.closest(".rpg-waiting").classList.add("rpg-shown");
            this.draw();
        });
        image.src = sent.mask;
    }

    close() {
        this.sent = this.mask = null;
        this.root.closest(".rpg-waiting").classList.remove("rpg-shown");
    }

    /** What the server gets; a mask that nobody painted on goes back as it came. */
    get text() {
        if (!this.mask) return "";
        return JSON.stringify(this.mask === this.given ? this.sent : {...this.sent, mask: rpgMaskText(this.mask)});
    }

    setTool(tool) {
        this.tool = tool;
        for (const [name, button] of Object.entries(this.tools)) rpgSetPressed(button, tool === name);
    }

    /** Exchange the mask for another one. */
    change(make) {
        this.past.push(this.mask);
        if (this.past.length > rpgKeptStrokes) this.past.shift();
        this.mask = make(this.mask);
        this.draw();
    }

    undo() {
        if (!this.past.length) return;
        this.mask = this.past.pop();
        this.draw();
    }

    draw() {
        Object.assign(this.layer, {width: this.mask.width, height: this.mask.height}); // clears it
        const context = this.layer.getContext("2d");
        context.drawImage(this.mask, 0, 0);
        context.globalCompositeOperation = "source-in";
        context.fillStyle = rpgStripes(context, Math.min(this.mask.width, this.mask.height) / 24);
        context.fillRect(0, 0, this.layer.width, this.layer.height);
        this.undoButton.disabled = !this.past.length;
    }

    listen() {
        const {canvas} = this;
        canvas.addEventListener("pointerdown", (event) => {
            if (event.button !== 0 || !this.mask) return;
            event.preventDefault();
            canvas.focus({preventScroll: true});
            canvas.setPointerCapture(event.pointerId);
            this.last = this.point(event);
            this.change(rpgCopyMask);
            this.stroke(event);
        });
        canvas.addEventListener("pointermove", (event) => {
            if (this.last) this.stroke(event);
            else if (this.mask) this.drawBrush(this.point(event));
        });
        for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.last = null));
        canvas.addEventListener("pointerleave", () => (this.brush.hidden = true));
        this.root.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
        if (!this.mask || event.target === this.slider) return;
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.undo();
        else if (event.key === "[" || event.key === "]") {
            this.slider.value = this.radius * (event.key === "]" ? 1.25 : 0.8);
            this.radius = Number(this.slider.value);
        } else return;
        event.preventDefault();
        event.stopPropagation();
    }

    /** The pointer in fractions of the picture. */
    point({clientX, clientY}) {
        const {left, top, width, height} = this.layer.getBoundingClientRect();
        return {x: (clientX - left) / width, y: (clientY - top) / height};
    }

    stroke(event) {
        const point = this.point(event);
        rpgPaint(this.mask, this.last, point, this.radius, this.mask, this.tool === "rubber");
        this.last = point;
        this.draw();
        this.drawBrush(point);
    }

    drawBrush({x, y}) {
        const {width, height} = this.mask;
        const [across, down] = [width, height].map((side) => (this.radius * Math.min(width, height)) / side);
        this.lay(this.brush, [x - across, y - down, x + across, y + down]);
        this.brush.hidden = false;
    }

    lay(element, [left, top, right, bottom]) {
        const share = (value) => `${value * 100}%`;
        Object.assign(element.style, {left: share(left), top: share(top), width: share(right - left), height: share(bottom - top)});
    }
}

/** Stripes that can be seen on whatever is below them. */
function rpgStripes(context, size) {
    const side = Math.max(Math.round(size), 4);
    const tile = rpgElement("canvas", {width: side, height: side});
    const pen = tile.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, side, side);
    pen.strokeStyle = "#e11d48";
    pen.lineWidth = side * 0.45;
    for (const shift of [-side, 0, side]) {
        pen.moveTo(shift - side, side * 2);
        pen.lineTo(shift + side * 2, -side);
    }
    pen.stroke();
    return context.createPattern(tile, "repeat");
}
