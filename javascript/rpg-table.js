// The regions' texts, a row each. Rows are dragged by their numbers: later regions lie on top.

class RpgTable {
    constructor(editor) {
        this.editor = editor;
        this.rows = [];
        const prompt = editor.host.lora ? "Region prompt (a LoRA here acts in this region)" : "Region prompt";
        const names = ["", prompt, "Negative prompt", "Base", "Share", ""];
        const head = rpgElement("div", {className: "rpg-row rpg-head"}, ...names.map((text) => rpgElement("span", {textContent: text})));
        this.list = rpgElement("div", {className: "rpg-table"});
        this.element = rpgElement("div", {className: "rpg-regions"}, head, this.list);
        this.element.addEventListener("focusin", ({target}) => {
            const row = target.closest(".rpg-table > .rpg-row");
            if (row) editor.select(Number(row.dataset.rpgIndex));
        });
    }

    buildRow(index) {
        const {editor} = this;
        const edit = (name, read = String) => (text) => editor.edit((model) => model.setRegionField(index, name, read(text)));
        const act = (change) => () => editor.act((model) => change(model), "table");
        const toggle = (mark, is) => act((model) => model.mark(index, {[mark]: !model[is](index)}));
        const row = {
            number: rpgButton(String(index + 1), rpgWords("Region {1}: drag, or press up or down, to change the order", index + 1), () => {}),
            prompt: rpgTextarea("rpg-prompt", "Region prompt", edit("prompt")),
            negative: rpgTextarea("rpg-negative", "Negative prompt; empty: the main one", edit("negative_prompt")),
            ratio: rpgInput("rpg-own-ratio", "Base ratio of this region; empty: the one above", edit("base_ratio", rpgNumberOrText)),
            share: rpgElement("span", {className: "rpg-share", title: "Share of the picture after overlaps"}),
            lock: rpgIconButton("unlock", "Lock", toggle("locked", "isLocked")),
            hide: rpgIconButton("show", "Hide", toggle("hidden", "isHidden")),
            remove: rpgIconButton("remove", "Delete this region", act((model) => model.deleteRegion(index))),
            notes: rpgElement("span", {className: "rpg-notes"}),
        };
        row.number.classList.add("rpg-number");
        row.number.style.setProperty("--rpg-hue", rpgHue(index));
        row.prompt.placeholder = rpgWords("What this region shows");
        row.buttons = rpgElement("div", {className: "rpg-buttons"}, row.lock, row.hide, row.remove);
        row.element = rpgElement("div", {className: "rpg-row"});
        row.element.append(row.number, rpgGrowing(row.prompt), rpgGrowing(row.negative), row.ratio, row.share, row.buttons, row.notes);
        row.element.dataset.rpgIndex = index;
        this.listen(row, index);
        return row;
    }

    listen({number}, index) {
        const {editor} = this;
        number.addEventListener("pointerdown", (event) => this.drag(event, index));
        number.addEventListener("keydown", (event) => {
            const step = {ArrowUp: -1, ArrowDown: 1}[event.key];
            const to = index + step;
            if (!step || !editor.model.regions[to]) return;
            event.preventDefault();
            editor.act((model) => model.moveRegion(index, to));
            this.rows[to].number.focus();
        });
    }

    /** Rows change places as the pointer passes the middles where they lay at first. */
    drag(event, from) {
        if (event.button !== 0) return;
        const {editor} = this;
        editor.select(from);
        const middles = this.rows.map(({element}) => element.getBoundingClientRect()).map(({top, height}) => top + height / 2);
        const scrolled = () => this.list.getBoundingClientRect().top;
        const start = scrolled();
        const handle = event.currentTarget;
        let at = from;
        const move = ({clientY}) => {
            const y = clientY - (scrolled() - start);
            const to = middles.filter((middle, place) => (place < from ? middle < y : place > from && middle <= y)).length;
            if (to === at) return;
            if (at !== from) editor.model.cancel();
            editor.model.endRun();
            if (to !== from) editor.model.moveRegion(from, to);
            at = to;
            editor.view.render();
            this.rows.forEach(({element}, place) => element.classList.toggle("rpg-dragged", place === at));
            this.rows[at].element.scrollIntoView({block: "nearest"});
        };
        const stop = (last) => {
            handle.removeEventListener("pointermove", move);
            handle.removeEventListener("pointerup", stop);
            handle.removeEventListener("pointercancel", stop);
            this.rows.forEach(({element}) => element.classList.remove("rpg-dragged"));
            if (last.type === "pointercancel" && at !== from) editor.model.cancel();
            else this.rows[at].number.focus({preventScroll: true});
            editor.flush();
        };
        handle.setPointerCapture(event.pointerId);
        handle.addEventListener("pointermove", move);
        handle.addEventListener("pointerup", stop);
        handle.addEventListener("pointercancel", stop);
    }

    render() {
        const {model} = this.editor;
        rpgResize(this.list, this.rows, model.regions.length, (index) => this.buildRow(index), (row) => row.element);
        model.regions.forEach((region, index) => {
            const row = this.rows[index];
            rpgSetText(row.prompt, region.prompt);
            rpgSetText(row.negative, region.negative_prompt);
            row.negative.placeholder = region.negative_prompt === "" ? rpgWords("(none)") : rpgWords("Negative");
            row.negative.classList.toggle("rpg-none", region.negative_prompt === "");
            rpgSetText(row.ratio, region.base_ratio);
            row.ratio.placeholder = String(model.draft.base_ratio);
            row.remove.disabled = model.regions.length === 1;
            rpgSetPressed(row.lock, model.isLocked(index), ["unlock", "lock"], ["Lock", "Unlock"]);
            rpgSetPressed(row.hide, model.isHidden(index), ["show", "hide"], ["Hide in the picture above", "Show in the picture above"]);
        });
    }

    draw({places, shares, warnings}) {
        const {model} = this.editor;
        this.rows.forEach(({element, share, notes}, index) => {
            element.classList.toggle("rpg-outside", places[index].kind === "none");
            element.classList.toggle("rpg-selected", index === model.selected);
            share.textContent = places[index].kind === "none" ? "" : rpgPercent(shares[index].seen);
            // The field itself shows that it is empty, and rows keep their heights while one types.
            notes.textContent = warnings[index].filter((warning) => warning !== rpgWords(rpgNoPrompt)).join(" · ");
        });
    }

    focusPrompt(index) {
        const area = this.rows[index]?.prompt;
        area?.focus();
        area?.setSelectionRange(area.value.length, area.value.length);
    }

    /** Bring the row into sight where it scrolls by itself; the page stays where it is. */
    reveal(index) {
        const row = this.rows[index]?.element;
        const box = row?.closest(".rpg-side");
        if (!box || box.scrollHeight <= box.clientHeight) return;
        const [inner, outer] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
        if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top;
        if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
    }
}
