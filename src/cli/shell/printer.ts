/** Keeps what is printed apart: what a watch tells comes before or behind a reply, never within. */
export class Printer {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work`, which prints, when all before it has been printed. */
  print(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
