/** With `--import` it registers a tracer, as a program around a server may, which writes the names of spans as they end. */
import { trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';

trace.setGlobalTracerProvider(
  new TracerProvider({
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: ({ name }) => process.stderr.write(`span ${name}\n`),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      },
    ],
  }),
);
