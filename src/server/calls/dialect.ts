/** How a foreign API that is served here differs from our own, whatever the method. */
import type { DescMethod } from '@bufbuild/protobuf';

export interface Dialect {
  /** What a call fails with, as that API says it. */
  readonly toError: (error: unknown) => unknown;
  /**
   * The credentials of a request in the form of the header `authorization`; `undefined`: there are none.
   * @param field gives a header of the request.
   */
  readonly authorizationIn: (field: (name: string) => string | undefined) => string | undefined;
  /** The methods that are for everybody. */
  readonly openMethods: ReadonlySet<DescMethod>;
}
