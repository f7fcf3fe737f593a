/** A place in a program that is written from its end: how many instructions there are from it on. */
export type Place = number;

const LOAD = 0x20;
const AND = 0x54;
const GO = 0x05;
const RETURN = 0x06;

/** Jumps that compare the accumulator with a constant, as unsigned numbers. */
export const JUMP = { equal: 0x15, greater: 0x25, notLess: 0x35 } as const;

/** The most instructions that the kernel takes: `BPF_MAXINSNS`. */
const MOST = 4096;
/** How far a conditional jump can lead. */
const FARTHEST = 255;

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

/**
 * Writes a program of classic BPF from its end, so that every place to which an instruction jumps is known before it: the
 * kernel takes jumps forward only.
 */
export class Assembler {
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Place>();

  /** Loads a word of `struct seccomp_data` and goes on at a place. */
  load(offset: number, next: Place): Place {
    this.#goTo(next);
    return this.#add({ code: LOAD, yes: 0, no: 0, k: offset });
  }

  /** Keeps these bits of the accumulator and goes on at a place. */
  and(mask: number, next: Place): Place {
    this.#goTo(next);
    return this.#add({ code: AND, yes: 0, no: 0, k: mask });
  }

  /** Ends the program with a verdict. */
  give(verdict: number): Place {
    const place = this.#returns.get(verdict);
    if (place !== undefined && this.#distance(place) < FARTHEST) return place;
    const made = this.#add({ code: RETURN, yes: 0, no: 0, k: verdict });
    this.#returns.set(verdict, made);
    return made;
  }

  jump(code: number, k: number, yes: Place, no: Place): Place {
    if (yes === no) return yes;
    // A detour for one may put the other out of reach, so both are looked at with room for it.
    const [near, other] = [this.#near(yes), this.#near(no)];
    return this.#add({ code, k, yes: this.#distance(near), no: this.#distance(other) });
  }

  /** A place behind the load of that word, where that is what it begins with. */
  past(place: Place, offset: number): Place {
    const instruction = this.#reversed[place - 1];
    return instruction?.code === LOAD && instruction.k === offset ? place - 1 : place;
  }

  /** The program, which begins at its last place. */
  bytes(): Uint8Array {
    if (this.#reversed.length > MOST) throw new RangeError(`${this.#reversed.length} instructions`);
    const bytes = Buffer.alloc(8 * this.#reversed.length);
    for (const [index, { code, yes, no, k }] of this.#reversed.toReversed().entries()) {
      bytes.writeUInt16LE(code, 8 * index);
      bytes.writeUInt8(yes, 8 * index + 2);
      bytes.writeUInt8(no, 8 * index + 3);
      bytes.writeUInt32LE(k, 8 * index + 4);
    }
    return bytes;
  }

  /** An instruction that does not jump goes on at the one before it in the list. */
  #goTo(place: Place): void {
    if (this.#distance(place) > 0) this.#add({ code: GO, yes: 0, no: 0, k: this.#distance(place) });
  }

  #near(place: Place): Place {
    if (this.#distance(place) < FARTHEST) return place;
    return this.#add({ code: GO, yes: 0, no: 0, k: this.#distance(place) });
  }

  #distance(place: Place): number {
    return this.#reversed.length - place;
  }

  #add(instruction: Instruction): Place {
    return this.#reversed.push(instruction);
  }
}
