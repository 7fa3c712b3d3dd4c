// Rust's standard library: threads, channels, locks, processes, panics, random hash keys, sockets, files.
// env: TMPDIR=.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic;
use std::process::{exit, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn threads() {
    let total = Arc::new(AtomicU64::new(0));
    let handles: Vec<_> = (0..8u64)
        .map(|n| {
            let total = total.clone();
            thread::spawn(move || {
                for i in 0..1000 {
                    total.fetch_add(i * n, Ordering::Relaxed);
                }
                n * n
            })
        })
        .collect();
    let squares: u64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
    println!("threads {} {}", total.load(Ordering::Relaxed), squares);

    let mut words = vec!["one", "two", "three"];
    thread::scope(|scope| {
        scope.spawn(|| words.push("four"));
    });
    println!("scoped {:?}", words);

    let named = thread::Builder::new()
        .name("worker".into())
        .stack_size(256 * 1024)
        .spawn(|| thread::current().name().map(String::from));
    println!("named {:?}", named.unwrap().join().unwrap());

    let barrier = Arc::new(Barrier::new(5));
    let leaders: usize = (0..5)
        .map(|_| {
            let barrier = barrier.clone();
            thread::spawn(move || (0..10).filter(|_| barrier.wait().is_leader()).count())
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|h| h.join().unwrap())
        .sum();
    println!("leaders {}", leaders);
    let parked = thread::spawn(|| {
        thread::park();
        "unparked"
    });
    parked.thread().unpark();
    println!("{}", parked.join().unwrap());
}

fn channels() {
    let (sender, receiver) = channel();
    for n in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || {
            for i in 0..100 {
                sender.send(n * 100 + i).unwrap();
            }
        });
    }
    drop(sender);
    let mut got: Vec<i32> = receiver.iter().collect();
    got.sort();
    println!("received {} first {} last {}", got.len(), got[0], got[399]);
    let (sender, receiver) = sync_channel(0);
    let producer = thread::spawn(move || (0..200).for_each(|i| sender.send(i).unwrap()));
    println!("rendezvous {}", receiver.iter().sum::<i32>());
    producer.join().unwrap();
    let (sender, receiver) = channel::<()>();
    println!(
        "timeout {}",
        receiver.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout)
    );
    drop(sender);
    println!("{:?}", receiver.recv());
}

fn locks() {
    let queue = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let other = queue.clone();
    let consumer = thread::spawn(move || {
        let (lock, filled) = &*other;
        let mut sum = 0;
        loop {
            let mut items = lock.lock().unwrap();
            while items.is_empty() {
                items = filled.wait(items).unwrap();
            }
            for item in items.drain(..) {
                if item == 0 {
                    return sum;
                }
                sum += item;
            }
        }
    });
    for item in (0..100).rev() {
        queue.0.lock().unwrap().push(item);
        queue.1.notify_one();
    }
    println!("consumed {}", consumer.join().unwrap());
    let guarded = Arc::new(Mutex::new(1));
    let poisoner = guarded.clone();
    let ended = thread::spawn(move || {
        let _held = poisoner.lock().unwrap();
        panic!("while holding it");
    })
    .join();
    println!("panicked {} poisoned {}", ended.is_err(), guarded.lock().is_err());
    let (table, once) = (RwLock::new(HashMap::new()), Once::new());
    thread::scope(|scope| {
        for n in 0..6 {
            let (table, once) = (&table, &once);
            scope.spawn(move || {
                once.call_once(|| println!("once"));
                table.write().unwrap().insert(n, n * n);
                table.read().unwrap().len()
            });
        }
    });
    let sorted: BTreeMap<_, _> = table.into_inner().unwrap().into_iter().collect();
    println!("{:?}", sorted);
}

fn panics() {
    let caught = panic::catch_unwind(|| {
        let empty: Vec<i32> = Vec::new();
        empty[env::args().count() + 3]
    });
    println!("caught {}", caught.is_err());
    let text = panic::catch_unwind(|| panic!("text {}", 5)).unwrap_err();
    println!("payload {:?}", text.downcast_ref::<String>());
}

fn hashes() {
    let set: HashSet<String> = (0..1000).map(|i| (i % 300).to_string()).collect();
    let mut longest: Vec<_> = set.iter().filter(|s| s.len() == 3 && s.ends_with("77")).collect();
    longest.sort();
    println!("set {} {:?}", set.len(), longest);
    let order = |_| -> Vec<i32> { (0..50).collect::<HashSet<i32>>().into_iter().collect() };
    println!("keys differ {}", order(0) != order(1));
}

fn processes(own: &str) {
    let mut child = Command::new(own)
        .args(["cat", "an argument"])
        .env("GREETING", "hello")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
    let output = child.wait_with_output().unwrap();
    println!("{:?} {}", String::from_utf8_lossy(&output.stdout), output.status);
    println!("{}", Command::new(own).arg("status").status().unwrap());
    let aborted = Command::new(own).arg("abort").stderr(Stdio::null()).status().unwrap();
    println!("signal {:?}", aborted.signal());
    let mut sleeper = Command::new(own).arg("sleep").spawn().unwrap();
    println!("still runs {:?}", sleeper.try_wait().unwrap());
    sleeper.kill().unwrap();
    println!("{}", sleeper.wait().unwrap());
    println!("{:?}", Command::new("/no/such/program").status().unwrap_err().kind());
    println!("{:?}", Command::new("no-such-program").status().unwrap_err().kind());
}

fn child(how: &str) {
    match how {
        "cat" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            print!("{} {} {}", env::args().nth(2).unwrap(), env::var("GREETING").unwrap(), text);
        }
        "status" => exit(9),
        "abort" => std::process::abort(),
        _ => thread::sleep(Duration::from_secs(60)),
    }
}

fn network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(5) {
            let stream = stream.unwrap();
            thread::spawn(move || {
                for line in BufReader::new(&stream).lines() {
                    writeln!(&stream, "{}", line.unwrap().to_uppercase()).unwrap();
                }
            });
        }
    });
    let mut replies: Vec<String> = (0..5)
        .map(|n| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                writeln!(stream, "client {}", n).unwrap();
                let mut reply = String::new();
                BufReader::new(stream).read_line(&mut reply).unwrap();
                reply.trim().to_string()
            })
        })
        .map(|handle| handle.join().unwrap())
        .collect();
    server.join().unwrap();
    replies.sort();
    println!("{:?}", replies);
    println!("refused {:?}", TcpStream::connect(address).unwrap_err().kind());
    let (one, two) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap());
    one.send_to(b"datagram", one.local_addr().unwrap()).unwrap();
    let mut buffer = [0; 32];
    let (size, from) = one.recv_from(&mut buffer).unwrap();
    println!("{:?} {}", &buffer[..size], from == one.local_addr().unwrap());
    two.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    println!("{:?}", two.recv(&mut buffer).unwrap_err().kind());
    let (mut left, mut right) = UnixStream::pair().unwrap();
    thread::spawn(move || left.write_all(&[7; 100_000]).unwrap());
    let mut all = Vec::new();
    println!("pair {:?}", right.read_to_end(&mut all).map(|size| (size, all[99_999])));
}

fn files() {
    let path = env::temp_dir().join(format!("rust-{}", std::process::id()));
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "line one\nline two\n").unwrap();
    fs::set_permissions(path.join("file"), fs::Permissions::from_mode(0o640)).unwrap();
    let meta = fs::metadata(path.join("file")).unwrap();
    println!("{:o} {}", meta.permissions().mode(), meta.len());
    println!("{:?}", fs::read_to_string(path.join("file")).unwrap().lines().last());
    println!("{:?}", fs::File::open(path.join("absent")).unwrap_err().kind());
    println!("{:?}", fs::remove_dir(&path).unwrap_err().raw_os_error());
    fs::remove_dir_all(&path).unwrap();
    println!("{}", path.exists());
}

fn main() {
    if let Some(how) = env::args().nth(1) {
        return child(&how);
    }
    let begin = Instant::now();
    threads();
    channels();
    locks();
    panics();
    hashes();
    processes(env::current_exe().unwrap().to_str().unwrap());
    network();
    files();
    thread::sleep(Duration::from_millis(3));
    println!("time passed {}", begin.elapsed() >= Duration::from_millis(3));
    println!("parallelism {}", thread::available_parallelism().is_ok());
    let value: Result<i32, _> = "x".parse::<i32>();
    value.expect("not a number");
}
