import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/** Runs the MongoDB stand-in: its first argument is the file to keep data in, its second the port on 127.0.0.1. */
public class StandIn {
    /** The oldest version that the official Go driver accepts: the stand-in calls itself an older one. */
    static class Version44 implements MongoVersion {
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        public int getWireVersion() {
            return 9;
        }
    }

    public static void main(String[] args) {
        var backend = new H2Backend(args[0]);
        backend.version(new Version44());
        var server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind("127.0.0.1", Integer.parseInt(args[1]));
    }
}
