import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.GZIPOutputStream;

/** Writes standard input to standard output as gzip, at the level that its one argument says. */
public final class Compress {
    public static void main(String[] arguments) throws IOException {
        int level = Integer.parseInt(arguments[0]);
        try (OutputStream output = new LevelStream(System.out, level)) {
            System.in.transferTo(output);
        }
    }

    /** A GZIPOutputStream has no other way to set its level. */
    private static final class LevelStream extends GZIPOutputStream {
        LevelStream(OutputStream output, int level) throws IOException {
            super(output, 1 << 16);
            def.setLevel(level);
        }
    }
}
